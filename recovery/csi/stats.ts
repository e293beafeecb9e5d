import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-tree.ts';
import type { ClockPort, KernelPort, Result } from '../engine/ports.ts';
import { said } from './live-source.ts';
import type { NodeStatsRequest, NodeStatsResponse, VolumeUsage } from './messages.ts';
import { targetSite } from './publish.ts';
import { type Answer, answered, refused } from './status.ts';

/** How long a volume may take to answer before its condition is abnormal. */
const answersWithin = 1_000_000_000n;

/** How full a filesystem is, asked by a process that may hang with it. */
export type UsageReader = (request: {
  readonly path: string;
  readonly device: DeviceId;
  readonly deadline: Nanoseconds;
}) => Promise<Result<readonly VolumeUsage[]>>;

/**
 * How full a volume is and whether it can be read (CSI NodeGetVolumeStats). Never waits for a daemon beyond its deadline: a
 * volume that is dead or hung is answered with an abnormal condition.
 */
export async function volumeStats(
  {
    kernel,
    clock,
    usage,
  }: {
    readonly kernel: Pick<KernelPort, 'hostMounts' | 'read'>;
    readonly clock: ClockPort;
    readonly usage: UsageReader;
  },
  { volumeId, volumePath }: NodeStatsRequest,
): Promise<Answer<NodeStatsResponse>> {
  const table = kernel.hostMounts();
  if (!table.ok) return refused('INTERNAL', `NodeGetVolumeStats: cannot read the mount table: ${said(table.failure)}`);
  const mount = new MountTree(table.value).top(volumePath);
  if (mount === undefined || !isFuse(mount)) {
    return refused('NOT_FOUND', `NodeGetVolumeStats: volume ${volumeId} is not published at ${volumePath}`);
  }
  const { device } = mount;
  const deadline = (clock.now() + answersWithin) as Nanoseconds;
  const read = await kernel.read({ site: targetSite(volumePath), device, deadline });
  if (!read.ok) return abnormal(read.failure.errno, said(read.failure));
  const full = await usage({ path: volumePath, device, deadline });
  if (!full.ok) return abnormal(full.failure.errno, said(full.failure));
  return answered({ usage: full.value, volumeCondition: { abnormal: false, message: 'the volume can be read' } });
}

function abnormal(errno: string, what: string): Answer<NodeStatsResponse> {
  const message =
    errno === 'ETIMEDOUT'
      ? 'the FUSE daemon of the volume does not answer'
      : errno === 'ENOTCONN' || errno === 'ECONNABORTED'
        ? `the FUSE daemon of the volume is gone (${errno})`
        : `the volume cannot be read (${what})`;
  return answered({ usage: [], volumeCondition: { abnormal: true, message } });
}

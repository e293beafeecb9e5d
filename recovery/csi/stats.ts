import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-sites.ts';
import type { ClockPort, KernelPort, Result } from '../engine/ports.ts';
import { formatFailure } from './live-source.ts';
import type { NodeStatsRequest, NodeStatsResponse, VolumeUsage } from './messages.ts';
import { targetSite } from './publish.ts';
import { type CsiResult, rejected, succeeded } from './status.ts';

/** A volume that does not answer within this time is reported as abnormal. */
const readTimeout = 1_000_000_000n;

/** Reads the usage of a filesystem in a child process, which may hang with it. */
export type UsageReader = (request: {
  readonly path: string;
  readonly device: DeviceId;
  readonly deadline: Nanoseconds;
}) => Promise<Result<readonly VolumeUsage[]>>;

/**
 * Returns a volume's usage and whether it can be read (CSI NodeGetVolumeStats). Never waits for a daemon beyond the read
 * timeout: a dead or hung volume is reported with an abnormal condition.
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
): Promise<CsiResult<NodeStatsResponse>> {
  const table = kernel.hostMounts();
  if (!table.ok)
    return rejected('INTERNAL', `NodeGetVolumeStats: cannot read the mount table: ${formatFailure(table.failure)}`);
  const mount = new MountTree(table.value).top(volumePath);
  if (mount === undefined || !isFuse(mount)) {
    return rejected('NOT_FOUND', `NodeGetVolumeStats: volume ${volumeId} is not published at ${volumePath}`);
  }
  const { device } = mount;
  const deadline = (clock.now() + readTimeout) as Nanoseconds;
  const read = await kernel.read({ site: targetSite(volumePath), device, deadline });
  if (!read.ok) return abnormal(read.failure.errno, formatFailure(read.failure));
  const used = await usage({ path: volumePath, device, deadline });
  if (!used.ok) return abnormal(used.failure.errno, formatFailure(used.failure));
  return succeeded({ usage: used.value, volumeCondition: { abnormal: false, message: 'the volume can be read' } });
}

function abnormal(errno: string, details: string): CsiResult<NodeStatsResponse> {
  const message =
    errno === 'ETIMEDOUT'
      ? 'the FUSE daemon of the volume does not answer'
      : errno === 'ENOTCONN' || errno === 'ECONNABORTED'
        ? `the FUSE daemon of the volume is gone (${errno})`
        : `the volume cannot be read (${details})`;
  return succeeded({ usage: [], volumeCondition: { abnormal: true, message } });
}

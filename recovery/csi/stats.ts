import type { Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-sites.ts';
import type { ClockPort, FilesystemUsage, KernelPort } from '../engine/ports.ts';
import { formatFailure } from './live-source.ts';
import type { NodeStatsRequest, NodeStatsResponse, VolumeUsage } from './messages.ts';
import { targetSite } from './publish.ts';
import { type CsiResult, rejected, succeeded } from './status.ts';

/** A volume that does not answer within this time is reported as abnormal. */
const answerTimeout = 1_000_000_000n;

/**
 * Returns a volume's usage and condition (CSI NodeGetVolumeStats). Asks for statfs only, as the kubelet wants this of each volume once a
 * minute. Never waits for a daemon beyond the timeout: a dead or hung volume is reported with an abnormal condition.
 */
export async function volumeStats(
  {
    kernel,
    clock,
  }: {
    readonly kernel: Pick<KernelPort, 'hostMounts' | 'read'>;
    readonly clock: ClockPort;
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
  const deadline = (clock.now() + answerTimeout) as Nanoseconds;
  const answer = await kernel.read({ site: targetSite(volumePath), device, proof: 'answer', deadline });
  if (!answer.ok) return abnormal(answer.failure.errno, formatFailure(answer.failure));
  return succeeded({
    usage: answer.value.usage === undefined ? [] : toCsiUsage(answer.value.usage),
    volumeCondition: { abnormal: false, message: 'the FUSE daemon of the volume answers' },
  });
}

/** The largest number that a 64-bit field can take; some daemons report an endless store. */
const maxInt64 = 2 ** 63 - 1024;

function toCsiUsage(usage: FilesystemUsage): readonly VolumeUsage[] {
  const { totalBytes, availableBytes, usedBytes, inodes, freeInodes } = usage;
  const limit = (count: number) => Math.min(count, maxInt64);
  return [
    { unit: 'BYTES', total: limit(totalBytes), available: limit(availableBytes), used: limit(usedBytes) },
    { unit: 'INODES', total: limit(inodes), available: limit(freeInodes), used: limit(inodes - freeInodes) },
  ];
}

function abnormal(errno: string, details: string): CsiResult<NodeStatsResponse> {
  const message =
    errno === 'ETIMEDOUT'
      ? 'the FUSE daemon of the volume does not answer'
      : errno === 'ENOTCONN' || errno === 'ECONNABORTED'
        ? `the FUSE daemon of the volume is gone (${errno})`
        : `the volume cannot be asked (${details})`;
  return succeeded({ usage: [], volumeCondition: { abnormal: true, message } });
}

import { questionTo } from '../engine/liveness.ts';
import type { FilesystemUsage, Liveness, Mount, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree, mayBeSource } from '../engine/mount-sites.ts';
import type { ClockPort, KernelPort } from '../engine/ports.ts';
import { formatUnproven } from '../engine/record.ts';
import type { UnprovenSite } from '../engine/volume-state.ts';
import { formatFailure } from './live-source.ts';
import type { NodeStatsRequest, NodeStatsResponse, VolumeUsage } from './messages.ts';
import { targetSite } from './publish.ts';
import { type CsiResult, rejected, succeeded } from './status.ts';

/** A volume that does not answer within this time is reported as abnormal. */
const answerTimeout = 1_000_000_000n;

/** The sites whose replaced mount has not been proven yet. */
export type UnprovenSites = () => readonly UnprovenSite[];

/**
 * Returns a volume's usage and condition (CSI NodeGetVolumeStats). Asks for statfs only, as the kubelet wants this of each volume once a
 * minute. Never waits for a daemon beyond the timeout: a dead or hung volume is reported with an abnormal condition.
 */
export async function volumeStats(
  {
    kernel,
    clock,
    unproven,
  }: {
    readonly kernel: Pick<KernelPort, 'hostMounts' | 'ask'>;
    readonly clock: ClockPort;
    readonly unproven: UnprovenSites;
  },
  { volumeId, volumePath }: NodeStatsRequest,
): Promise<CsiResult<NodeStatsResponse>> {
  const table = kernel.hostMounts();
  if (!table.ok)
    return rejected('INTERNAL', `NodeGetVolumeStats: cannot read the mount table: ${formatFailure(table.failure)}`);
  const mount = MountTree.of(table.value).top(volumePath);
  if (mount === undefined || !mayBeSource(mount)) {
    return rejected('NOT_FOUND', `NodeGetVolumeStats: volume ${volumeId} is not published at ${volumePath}`);
  }
  const site = targetSite(volumePath);
  const deadline = (clock.now() + answerTimeout) as Nanoseconds;
  const answer = await kernel.ask({ ...questionTo(site, mount), deadline });
  if (!isFuse(mount)) return succeeded(networkStats(mount, answer));
  if (answer.status !== 'live') return succeeded({ usage: [], volumeCondition: conditionUnless(answer) });
  return succeeded({
    usage: answer.usage === undefined ? [] : toCsiUsage(answer.usage),
    volumeCondition: condition(
      unproven().filter(
        ({ diagnosis }) => diagnosis.volume.handle === volumeId && diagnosis.site.podUid === site.podUid,
      ),
    ),
  });
}

/** Of a filesystem without a daemon. If it does not answer, its server is away, and the kernel continues as soon as it is back. */
function networkStats({ fstype }: Mount, answer: Liveness): NodeStatsResponse {
  const answers = answer.status === 'live';
  const message = `the ${fstype} filesystem of the volume ${answers ? 'answers' : 'does not answer'}`;
  const usage = answers && answer.usage !== undefined ? toCsiUsage(answer.usage) : [];
  return { usage, volumeCondition: { abnormal: !answers && answer.status !== 'unknown', message } };
}

/** A mount whose first read continues is not abnormal, as a large directory takes long to list. */
function condition(unproven: readonly UnprovenSite[]): NonNullable<NodeStatsResponse['volumeCondition']> {
  const [first] = unproven;
  if (first === undefined) return { abnormal: false, message: 'the FUSE daemon of the volume answers' };
  const failure = unproven.flatMap(({ failures }) => failures.at(-1) ?? []).at(0);
  const reason = failure === undefined ? `${first.diagnosis.site.path} is being read` : formatUnproven(failure);
  return { abnormal: failure !== undefined, message: `mounted, not yet proven: ${reason}` };
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

/** The condition of a volume that is not live, or may not be. */
function conditionUnless(
  answer: Exclude<Liveness, { status: 'live' }>,
): NonNullable<NodeStatsResponse['volumeCondition']> {
  switch (answer.status) {
    case 'hung':
      return { abnormal: true, message: 'the FUSE daemon of the volume does not answer' };
    case 'kept':
      return { abnormal: true, message: 'the FUSE daemon of the volume is away, and its connection is kept' };
    case 'dead':
      return { abnormal: true, message: `the FUSE daemon of the volume is gone (${answer.errno})` };
    case 'unknown':
      return { abnormal: false, message: `the volume could not be asked (${answer.errno})` };
  }
}

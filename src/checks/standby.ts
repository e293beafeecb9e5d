import type { Budgets } from '../profiles/profile.ts';
import { type Consumer, containerName } from '../timeline/consumer.ts';
import {
  type Crash,
  neverReturned,
  operationsAfter,
  provesReading,
  readyTimesAfter,
  wasPerformed,
  workloadName,
} from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { EventOf } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { type CheckResult, defineCheck, fail, inconclusive, noCrash, pass, tooShort } from './check.ts';
import { describeFailure } from './outage.ts';
import { steadyCount } from './reads.ts';
import { type ConsumedVolume, mountsIn, sourceOf, targetPathEnd } from './volume-mounts.ts';
import { failUnlessBusy } from './within-budget.ts';

export interface FailoverLimits {
  readonly consumer: Consumer;
  readonly budgets: Pick<Budgets, 'failoverMs'>;
}

/**
 * After each crash of the active daemon the pod reads again within the budget, whether or not that daemon is back. A failover may be
 * quicker than the probe, which then sees no error at all.
 */
export const failsOver = defineCheck(
  { name: 'the pod reads from a standby, and does not wait for the daemon', claims: ['S1'] },
  (timeline: Timeline, { consumer, budgets }: FailoverLimits) => {
    const { crashes } = timeline.observe(consumer);
    if (crashes.length === 0) return inconclusive(noCrash);
    const outages: number[] = [];
    for (const [index, crash] of crashes.entries()) {
      const outage = measureOutage(timeline, consumer, crash);
      const number = crashes.length === 1 ? '' : `crash ${index + 1} of ${crashes.length}: `;
      if (typeof outage !== 'number') return { ...outage, sentence: `${number}${outage.sentence}` };
      if (outage > budgets.failoverMs * 1e6) {
        const [back] = readyTimesAfter(timeline, crash);
        const daemon = back === undefined ? 'did not come back' : `was back after ${formatNs(back - crash.from)}`;
        const sentence = `${number}the pod read ${formatNs(outage)} after the crash, of ${budgets.failoverMs} ms, and the daemon ${daemon}`;
        const { operations } = timeline.observe(consumer);
        return failUnlessBusy(sentence, { operations, from: crash.from, to: crash.from + outage });
      }
      outages.push(outage);
    }
    const all = outages.map((outage) => formatNs(outage)).join(', ');
    return pass(`the pod read ${all} after the ${outages.length === 1 ? 'crash' : `${outages.length} crashes`}`);
  },
);

/** From a crash to the first good read after its last error, in nanoseconds; or why there is none. */
function measureOutage(timeline: Timeline, consumer: Consumer, crash: Crash): number | CheckResult {
  const stuck = crash.hangs.find((hang) => neverReturned(hang, crash));
  if (stuck !== undefined)
    return fail(`an operation that began ${formatNs(stuck.since - crash.from)} after the crash never came back`);
  const exit = timeline.daemons.find(({ change, at }) => change === 'exited' && at >= crash.from && at < crash.to);
  const last = crash.failures.at(-1);
  const over = Math.max(exit?.at ?? crash.from, last?.finishedAt ?? 0);
  const good = operationsAfter(crash, timeline.observe(consumer).operations).filter(
    (operation) => wasPerformed(operation) && operation.startedAt >= over,
  );
  const read = good.find((operation) => operation.op === 'read' && provesReading(operation));
  if (read === undefined && last !== undefined)
    return fail(`the last operation failed: ${describeFailure(last, crash.from)}`);
  if (read === undefined || (crash.to === Number.POSITIVE_INFINITY && good.length < steadyCount))
    return tooShort(`only ${good.length} of ${steadyCount} operations are known since the crash`);
  return read.finishedAt - crash.from;
}

export interface SingleMounts extends ConsumedVolume {
  /** Before Linux 6.5 the agent stacks the new mount on the dead one. */
  readonly mountsBeneath: boolean;
}

/** By the last tables, one FUSE mount of the volume stands at the pod's path, and one at each of its target paths. */
export const mountsOnce = defineCheck(
  { name: 'a failover mounts nothing twice', claims: ['S2'] },
  (timeline: Timeline, { consumer, volume, mountsBeneath }: SingleMounts) => {
    const [crash] = timeline.observe(consumer).crashes;
    if (crash === undefined) return inconclusive(noCrash);
    const most = mountsBeneath ? 1 : 2;
    const counts: string[] = [];
    for (const where of [containerName(consumer), 'node']) {
      const table = timeline.mountTables(where).findLast(({ at }) => at > crash.from);
      if (table === undefined) return inconclusive(`the mount table of ${where} is not known after the crash`);
      const isSite = (path: string) =>
        where === 'node' ? path.endsWith(targetPathEnd(volume)) : path === consumer.path;
      const paths = mountsIn(table).flatMap(({ mountPoint, fstype }) =>
        fstype.startsWith('fuse') && isSite(mountPoint) ? mountPoint : [],
      );
      if (paths.length === 0) return fail(`nothing is mounted at the volume’s paths of ${where}`);
      for (const [path, { length }] of Map.groupBy(paths, (each) => each)) {
        if (length > most) return fail(`${length} FUSE mounts stand at ${path} (${where})`);
        counts.push(`${length} at ${path}`);
      }
    }
    return pass(counts.join(', '));
  },
);

/** A daemon may die while its mount is attached. An agent that attaches it later than this attaches a dead one. */
const deathNs = 1e9;

/** Whatever was attached for the pod belonged to a daemon that was alive. */
export const attachesLivingOnly = defineCheck(
  { name: 'no mount of a dead daemon is attached', claims: ['S4'] },
  (timeline: Timeline, { consumer, volume }: ConsumedVolume) => {
    const [crash] = timeline.observe(consumer).crashes;
    if (crash === undefined) return inconclusive(noCrash);
    const isSite = ({ where, mountPoint }: EventOf<'mount'>) =>
      where === 'node'
        ? mountPoint.endsWith(targetPathEnd(volume))
        : where === containerName(consumer) && mountPoint === consumer.path;
    const attached = timeline.addedMounts.filter((mount) => isSite(mount) && mount.at > crash.from);
    for (const mount of attached) {
      const death = deathOf(timeline, mount);
      if (death === undefined || mount.at < death.at + deathNs) continue;
      return fail(
        `${mount.mountPoint} (${mount.where}) was given device ${mount.device}, whose daemon ${death.name} had died ${formatNs(mount.at - death.at)} before`,
      );
    }
    if (attached.length === 0) return inconclusive('nothing was attached after the crash');
    return pass(`${attached.length} mounts were attached, each of a living daemon`);
  },
);

/**
 * The end of the daemon to which a mount's device belonged when it was attached, if it had ended. Device numbers are used again, and so
 * are those of mounts: a restarted daemon may have both of its predecessor, and then no change of the mount table shows its source mount.
 */
function deathOf(timeline: Timeline, { device, at }: EventOf<'mount'>): EventOf<'process'> | undefined {
  const onNode = timeline.addedMounts.filter((mount) => mount.where === 'node' && mount.at <= at);
  const source = onNode.findLast((mount) => mount.device === device && sourceOf(mount.mountPoint) !== undefined);
  if (source === undefined) return undefined;
  const workload = sourceOf(source.mountPoint)?.workload;
  const lives = timeline.daemons.filter(
    (process) =>
      process.at > source.at && process.at <= at && workloadName(process.name).replace(/\/[^/]*$/, '') === workload,
  );
  const death = lives.findLast(({ change }) => change === 'exited');
  if (death === undefined) return undefined;
  const isBack = lives.some((process) => process.change === 'ready' && process.at > death.at);
  const hasOtherDevice = onNode.some((mount) => mount.mountPoint === source.mountPoint && mount.at > death.at);
  return isBack && !hasOtherDevice ? undefined : death;
}

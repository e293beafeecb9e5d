import { containerName } from '../timeline/consumer.ts';
import { type Crash, operationsAfter, provesReading, readyTimesAfter } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { type CheckResult, defineCheck, fail, firstNotPassed, inconclusive, noCrash, pass } from './check.ts';
import { steadyCount } from './reads.ts';
import { type ConsumedVolume, isTableKnown, volumeMounts } from './volume-mounts.ts';

interface Window {
  /** Both exclusive, in nanoseconds since the run began. */
  readonly from: number;
  readonly to: number;
  /** `pod`: only this consumer must be left alone. `everything`: the whole volume, on the node as well. */
  readonly scope: 'pod' | 'everything';
}

interface Touch {
  readonly at: number;
  readonly sentence: string;
}

/** The first sign that a volume was recovered in a window: a mount, an action of the agent, or a claim. */
function findRecovery(timeline: Timeline, site: ConsumedVolume, { from, to, scope }: Window): Touch | undefined {
  const { consumer, volume } = site;
  const container = containerName(consumer);
  const isWithin = ({ at }: { readonly at: number }) => at > from && at < to;
  const everything = scope === 'everything';

  const mounted = volumeMounts(timeline, site).find(
    (mount) => mount.source === 'event' && isWithin(mount) && (everything || mount.where === container),
  );
  if (mounted) return { at: mounted.at, sentence: `${mounted.mountPoint} (${mounted.where}) was mounted` };
  const acted = timeline
    .ofKind('agent')
    .find(
      (event) =>
        isWithin(event) &&
        (event.event === 'replaced' || event.event === 'recovered') &&
        (everything
          ? (event.volume ?? volume) === volume || (event.where === container && event.path === consumer.path)
          : event.where === container),
    );
  if (acted) return { at: acted.at, sentence: `the agent reported "${acted.event}" for ${acted.where ?? volume}` };
  const claim = timeline
    .successClaims(consumer)
    .find((claimed) => isWithin(claimed) && (everything || claimed.scope === 'pod'));
  return claim && { at: claim.at, sentence: `${claim.description} came` };
}

export interface NoRecovery extends ConsumedVolume {
  /** The claims that forbid it: `E1` if the gate is off, `A2` if the label is missing, `L2`, `L3`. */
  readonly claims: readonly string[];
  readonly scope: Window['scope'];
  /** How long after the daemon's return this must last: longer than the agent's period. */
  readonly watchMs: number;
}

/** The daemon is back and yet the pod stays as the crash left it: nothing mounted, nothing claimed, errors to the end. */
export const isNotRecovered = defineCheck(
  {
    name: 'the pod is not recovered, and nothing claims that it was',
    claims: (_: Timeline, { claims }: NoRecovery) => claims,
  },
  judgeNoRecovery,
);

function judgeNoRecovery(timeline: Timeline, expected: NoRecovery): CheckResult {
  const { consumer, scope, watchMs } = expected;
  const { operations, crashes } = timeline.observe(consumer);
  const crash = crashes.at(-1);
  if (crash === undefined) return inconclusive(noCrash);
  const since = (at: number) => `${formatNs(at - crash.from)} after the crash`;

  const touch = findRecovery(timeline, expected, { from: crash.from, to: Number.POSITIVE_INFINITY, scope });
  if (touch) return fail(`${touch.sentence} ${since(touch.at)}`);
  const firstFailure = crash.failures[0];
  if (firstFailure === undefined) return inconclusive('the pod saw no error after the crash');
  const good = operations.find(
    (operation) => operation.startedAt > firstFailure.finishedAt && provesReading(operation),
  );
  if (good !== undefined) return fail(`the pod read again ${since(good.finishedAt)}`);

  if (!isTableKnown(timeline, containerName(consumer))) return inconclusive('the pod’s mount table was not recorded');
  const [ready] = readyTimesAfter(timeline, crash);
  if (ready === undefined) return inconclusive('the daemon did not come back, so there was nothing to recover with');
  const failing = crash.failures.filter(({ startedAt }) => startedAt > ready);
  const watched = (failing.at(-1)?.at ?? ready) - ready;
  if (failing.length < steadyCount || watched < watchMs * 1e6) {
    return inconclusive(
      `the pod was watched for ${formatNs(watched)} after the daemon’s return, ${formatNs(watchMs * 1e6)} are needed`,
    );
  }
  return pass(
    `${crash.failures.length} operations failed, the last ${since(failing.at(-1)?.at ?? ready)}, ${formatNs(watched)} after the daemon’s return`,
  );
}

/** Between a crash and the daemon's being ready again nothing is mounted for the pod, and nothing claims a recovery. */
export const doesNothingWhileDown = defineCheck(
  { name: 'nothing is recovered while the daemon is down', claims: ['L4'] },
  (timeline: Timeline, site: ConsumedVolume) => {
    const { crashes } = timeline.observe(site.consumer);
    const last = crashes.at(-1);
    if (last === undefined) return inconclusive(noCrash);
    if (!isTableKnown(timeline, containerName(site.consumer)))
      return inconclusive('the pod’s mount table was not recorded');
    const judge = (crash: Crash) => judgeDowntime(timeline, crash, site);
    return firstNotPassed(crashes.map(judge)) ?? judge(last);
  },
);

function judgeDowntime(timeline: Timeline, crash: Crash, site: ConsumedVolume): CheckResult {
  const { operations } = timeline.observe(site.consumer);
  const [ready] = readyTimesAfter(timeline, crash);
  const to = ready ?? Math.min(crash.to, crash.end + 1);
  const firstFailure = crash.failures[0]?.finishedAt ?? Number.POSITIVE_INFINITY;
  const good = operationsAfter(crash, operations).some(
    (operation) => provesReading(operation) && operation.startedAt > firstFailure,
  );
  if (ready === undefined && good)
    return inconclusive('the pod read again, but the history does not show when the daemon was ready');
  const touch = findRecovery(timeline, site, { from: crash.from, to, scope: 'everything' });
  if (touch) {
    const before =
      ready === undefined ? 'before any daemon was ready' : `${formatNs(ready - touch.at)} before the daemon was ready`;
    return fail(`${touch.sentence} ${formatNs(touch.at - crash.from)} after the crash, ${before}`);
  }
  const failed = crash.failures.filter(({ finishedAt }) => finishedAt < to).length;
  if (failed < steadyCount)
    return inconclusive(`only ${failed} operations failed while the daemon was down: too short to tell`);
  return pass(
    `in ${formatNs(to - crash.from)} without a daemon ${failed} operations failed, nothing was mounted and nothing claimed a recovery`,
  );
}

export interface LeftAlone extends ConsumedVolume {
  /** The name of the fault that lasts. */
  readonly fault: string;
}

/** The agent's period in a sandbox, in nanoseconds. */
const shortestWatchNs = 1e9;

/** While a fault lasts that did not end the daemon, nothing of the volume is mounted and nothing claims a recovery. */
export const isLeftAlone = defineCheck(
  { name: 'a mount that is not dead is left alone', claims: ['L4'] },
  (timeline: Timeline, expected: LeftAlone) => {
    const { consumer, fault } = expected;
    const events = timeline.ofKind('fault').filter((event) => event.fault === fault);
    const windows = events
      .filter(({ phase }) => phase === 'injected')
      .map(({ at }) => ({
        from: at,
        to: events.find((event) => event.phase === 'healed' && event.at > at)?.at ?? Number.POSITIVE_INFINITY,
      }));
    if (windows.length === 0) return inconclusive(`the fault ${fault} was not injected`);
    if (!isTableKnown(timeline, containerName(consumer))) return inconclusive('the pod’s mount table was not recorded');
    const results = windows.map(({ from, to }): CheckResult => {
      const touch = findRecovery(timeline, expected, { from, to, scope: 'everything' });
      if (touch) return fail(`${touch.sentence} ${formatNs(touch.at - from)} after ${fault} began`);
      const watched = Math.max(from, Math.min(timeline.events.at(-1)?.at ?? 0, to)) - from;
      if (watched < shortestWatchNs) return inconclusive(`it lasted only ${formatNs(watched)}: too short to tell`);
      return pass(`in ${formatNs(watched)} nothing was mounted and nothing claimed a recovery`);
    });
    return firstNotPassed(results) ?? results.at(-1) ?? inconclusive('the fault has no window');
  },
);

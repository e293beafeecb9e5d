import { type Consumer, containerName } from '../timeline/consumer.ts';
import { type Crash, neverReturned, operationsAfter, provesReading, readyTimesAfter } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { EventOf } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { type CheckResult, defineCheck, fail, firstNotPassed, inconclusive, noCrash, pass, tooShort } from './check.ts';
import { describeFailure, isErrorOfCrash } from './outage.ts';
import { steadyCount } from './reads.ts';
import { type ConsumedVolume, isTableKnown, mountsIn, targetPathEnd } from './volume-mounts.ts';

interface WatchedTime {
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

/** The first sign that a volume was touched in a window: a mount that came, went or is another one, an action of the agent, or a claim. */
function findTouch(timeline: Timeline, site: ConsumedVolume, window: WatchedTime): Touch | undefined {
  const { consumer, volume } = site;
  const { from, to, scope } = window;
  const container = containerName(consumer);
  const isWithin = ({ at }: { readonly at: number }) => at > from && at < to;
  const everything = scope === 'everything';

  const moved = findMountChange(timeline, site, window);
  if (moved) return moved;
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

/** A mount at the pod's path, or also at the volume's target paths: any that is added or removed, of whatever type it is. */
function findMountChange(
  timeline: Timeline,
  site: ConsumedVolume,
  { from, to, scope }: WatchedTime,
): Touch | undefined {
  const { consumer, volume } = site;
  const container = containerName(consumer);
  const isAtSite = (where: string, { mountPoint }: { readonly mountPoint: string }) =>
    where === container
      ? mountPoint === consumer.path
      : where === 'node' && scope === 'everything' && mountPoint.endsWith(targetPathEnd(volume));
  const event = timeline
    .ofKind('mount')
    .find(({ at, where, ...mount }) => at > from && at < to && isAtSite(where, mount));
  if (event) {
    const type = event.fstype.startsWith('fuse') ? '' : ` with a file system of type ${event.fstype}`;
    const verb = event.change === 'added' ? 'mounted' : 'unmounted';
    return { at: event.at, sentence: `${event.mountPoint} (${event.where}) was ${verb}${type}` };
  }
  for (const where of ['node', container]) {
    const formatAtSite = (table: EventOf<'snapshot'>) =>
      mountsIn(table)
        .filter((mount) => isAtSite(where, mount))
        .map(({ id, device, root, fstype, mountPoint }) => `mount ${id} of ${fstype} ${device}${root} at ${mountPoint}`)
        .join(', ') || 'no mount';
    const tables = timeline.mountTables(where);
    const before = tables.findLast(({ at }) => at <= from);
    const other =
      before &&
      tables.find((table) => table.at > from && table.at < to && formatAtSite(table) !== formatAtSite(before));
    if (before && other)
      return { at: other.at, sentence: `${where} had ${formatAtSite(before)} and has ${formatAtSite(other)}` };
  }
  return undefined;
}

/** The first error that is not one of a dead connection, or the operation that never came back; while nobody recovers, nothing else may show. */
function findOtherTrouble(
  { from, end, failures, hangs }: Crash,
  { to, kernel }: { readonly to: number; readonly kernel: string },
): string | undefined {
  const other = failures.find(
    (failure) => failure.finishedAt < to && !isErrorOfCrash(failure, { crashes: [{ failures }], kernel }),
  );
  if (other !== undefined) return describeFailure(other, from);
  const stuck = hangs.find((hang) => hang.since < to && neverReturned(hang, { end }));
  return (
    stuck && `an operation that began ${formatNs(Math.max(0, stuck.since - from))} after the crash never came back`
  );
}

export interface NoRecovery extends ConsumedVolume {
  /** The claims that forbid it: `E1` if the gate is off, `A2` if the label is missing, `L2`, `L3`. */
  readonly claims: readonly string[];
  readonly scope: WatchedTime['scope'];
  /** How long after the daemon's return this must last: longer than the agent's period. */
  readonly watchMs: number;
  /** Release of the kernel, as `uname -r` prints it. */
  readonly kernel: string;
}

/**
 * The daemon is back and yet the pod stays as the crash left it: nothing mounted or unmounted, nothing claimed, and to the end the
 * errors of a dead connection and no others. An empty directory instead of them would let the application write beneath the mount.
 */
export const isNotRecovered = defineCheck(
  {
    name: 'the pod is not recovered, and nothing claims that it was',
    claims: (_: Timeline, { claims }: NoRecovery) => claims,
  },
  judgeNoRecovery,
);

function judgeNoRecovery(timeline: Timeline, expected: NoRecovery): CheckResult {
  const { consumer, scope, watchMs, kernel } = expected;
  const { operations, crashes } = timeline.observe(consumer);
  const crash = crashes.at(-1);
  if (crash === undefined) return inconclusive(noCrash);
  const since = (at: number) => `${formatNs(at - crash.from)} after the crash`;

  const touch = findTouch(timeline, expected, { from: crash.from, to: Number.POSITIVE_INFINITY, scope });
  if (touch) return fail(`${touch.sentence} ${since(touch.at)}`);
  const trouble = findOtherTrouble(crash, { to: Number.POSITIVE_INFINITY, kernel });
  if (trouble !== undefined) return fail(trouble);
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
    return tooShort(
      `the pod was watched for ${formatNs(watched)} after the daemon’s return, ${formatNs(watchMs * 1e6)} are needed`,
    );
  }
  if ((timeline.mountTables(containerName(consumer)).at(-1)?.at ?? 0) <= ready)
    return inconclusive('the pod’s mount table was not recorded at the end');
  return pass(
    `${crash.failures.length} operations failed, the last ${since(failing.at(-1)?.at ?? ready)}, ${formatNs(watched)} after the daemon’s return`,
  );
}

/** What is needed to judge that a pod stays broken. `watchMs`: how long it must fail. `kernel`: as `uname -r` prints it. */
export type StaysBroken = Pick<NoRecovery, 'consumer' | 'watchMs' | 'kernel'>;

/** Without recovery a pod sees the errors of a dead connection and nothing else, from the crash to the end of the history. */
export const staysBroken = defineCheck(
  { name: 'the pod stays broken, as documented', claims: [] },
  (timeline: Timeline, { consumer, watchMs, kernel }: StaysBroken) => {
    const { operations, crashes } = timeline.observe(consumer);
    const crash = crashes.at(-1);
    if (crash === undefined) return inconclusive(noCrash);
    const trouble = findOtherTrouble(crash, { to: Number.POSITIVE_INFINITY, kernel });
    if (trouble !== undefined) return fail(trouble);
    const [first] = crash.failures;
    if (first === undefined) return inconclusive('the pod saw no error after the crash');
    const good = operations.find((operation) => operation.startedAt > first.finishedAt && provesReading(operation));
    if (good !== undefined)
      return fail(
        `the pod read again ${formatNs(good.finishedAt - crash.from)} after the crash, which is not promised`,
      );
    const watched = (crash.failures.at(-1)?.finishedAt ?? 0) - first.finishedAt;
    if (crash.failures.length < steadyCount || watched < watchMs * 1e6)
      return tooShort(`the pod was watched for ${formatNs(watched)}, ${formatNs(watchMs * 1e6)} are needed`);
    return pass(`${crash.failures.length} operations failed in ${formatNs(watched)}, and none any other way`);
  },
);

/** Between a crash and the daemon's being ready again no mount of the pod changes, nothing claims a recovery, and only the outage shows. */
export const doesNothingWhileDown = defineCheck(
  { name: 'nothing is recovered while the daemon is down', claims: ['L4'] },
  (timeline: Timeline, site: ConsumedVolume & Pick<NoRecovery, 'kernel'>) => {
    const { crashes } = timeline.observe(site.consumer);
    const last = crashes.at(-1);
    if (last === undefined) return inconclusive(noCrash);
    if (!isTableKnown(timeline, containerName(site.consumer)))
      return inconclusive('the pod’s mount table was not recorded');
    const judge = (crash: Crash) => judgeDowntime(timeline, crash, site);
    return firstNotPassed(crashes.map(judge)) ?? judge(last);
  },
);

function judgeDowntime(
  timeline: Timeline,
  crash: Crash,
  site: ConsumedVolume & Pick<NoRecovery, 'kernel'>,
): CheckResult {
  const { operations } = timeline.observe(site.consumer);
  const [ready] = readyTimesAfter(timeline, crash);
  const to = ready ?? Math.min(crash.to, crash.end + 1);
  const firstFailure = crash.failures[0]?.finishedAt ?? Number.POSITIVE_INFINITY;
  const good = operationsAfter(crash, operations).some(
    (operation) => provesReading(operation) && operation.startedAt > firstFailure,
  );
  if (ready === undefined && good)
    return inconclusive('the pod read again, but the history does not show when the daemon was ready');
  const touch = findTouch(timeline, site, { from: crash.from, to, scope: 'everything' });
  if (touch) {
    const before =
      ready === undefined ? 'before any daemon was ready' : `${formatNs(ready - touch.at)} before the daemon was ready`;
    return fail(`${touch.sentence} ${formatNs(touch.at - crash.from)} after the crash, ${before}`);
  }
  const trouble = findOtherTrouble(crash, { to, kernel: site.kernel });
  if (trouble !== undefined) return fail(trouble);
  const failed = crash.failures.filter(({ finishedAt }) => finishedAt < to).length;
  if (failed < steadyCount)
    return tooShort(`only ${failed} operations failed while the daemon was down: too short to tell`);
  return pass(
    `in ${formatNs(to - crash.from)} without a daemon ${failed} operations failed, no mount changed and nothing claimed a recovery`,
  );
}

/** The daemon is back and serves a mount, but the pod cannot read: then nothing claims a recovery, whatever was mounted. */
export const claimsNothing = defineCheck(
  { name: 'nothing claims a recovery while the pod cannot read', claims: ['A1', 'L4'] },
  (timeline: Timeline, consumer: Consumer, watchMs: number) => {
    const { operations, crashes } = timeline.observe(consumer);
    const crash = crashes.at(-1);
    if (crash === undefined) return inconclusive(noCrash);
    const [ready] = readyTimesAfter(timeline, crash);
    if (ready === undefined) return inconclusive('the daemon did not come back');
    const good = operations.find((operation) => operation.startedAt > ready && provesReading(operation));
    if (good !== undefined) return inconclusive('the pod read again, so there was something to claim');
    const claim = timeline.successClaims(consumer).find(({ at }) => at > crash.from);
    if (claim !== undefined)
      return fail(
        `${claim.description} came ${formatNs(claim.at - crash.from)} after the crash, and the pod cannot read`,
      );
    const watched = timeline.end - ready;
    if (watched < watchMs * 1e6) return tooShort(`the pod was watched for ${formatNs(watched)} only`);
    return pass(`${crash.failures.length} operations failed, and in ${formatNs(watched)} nothing claimed a recovery`);
  },
);

export interface RefusalEvent extends ConsumedVolume {
  /** Part of the event's reason. */
  readonly reason: string;
  /** Name of the Dataset. */
  readonly dataset: string;
  /** The claims that demand it. */
  readonly claims: readonly string[];
}

/** Words that a sentence has at least which says what is refused, why, and what to do. */
const fewestWords = 8;

/**
 * A refusal is an event on the pod or on its Dataset that a person can act on: a warning with a sentence that names the volume or
 * the pod's path.
 */
export const explainsRefusal = defineCheck(
  {
    name: 'the refusal is an event on the pod or its Dataset, and explains itself',
    claims: (_: Timeline, { claims }: RefusalEvent) => claims,
  },
  (timeline: Timeline, { consumer: { namespace, pod, path }, volume, dataset, reason }: RefusalEvent) => {
    const events = timeline.ofKind('event').filter((event) => event.reason.includes(reason));
    const objects = [`Pod ${namespace}/${pod}`, `Dataset ${namespace}/${dataset}`];
    const own = events.filter(({ object }) => objects.includes(object));
    const [event] = own;
    if (event === undefined) {
      const others = [...new Set(events.map(({ object }) => object))].join(', ');
      return fail(others === '' ? `no event has the reason ${reason}` : `${reason} is an event on ${others}`);
    }
    const poor = own.find(
      ({ message }) =>
        message.split(/\s+/).length < fewestWords || !(message.includes(volume) || message.includes(path)),
    );
    if (poor !== undefined)
      return fail(`the event ${poor.reason} on ${poor.object} explains nothing: "${poor.message}"`);
    return pass(`${event.reason} on ${own.map(({ object }) => object).join(' and ')}`);
  },
);

export interface LeftAlone extends ConsumedVolume {
  /** The name of the fault that lasts. */
  readonly fault: string;
  /** How long it must last at least. */
  readonly watchMs: number;
}

/** While a fault lasts that did not end the daemon, nothing of the volume is mounted and nothing claims a recovery. */
export const isLeftAlone = defineCheck(
  { name: 'a mount that is not dead is left alone', claims: ['L4'] },
  (timeline: Timeline, expected: LeftAlone) => {
    const { consumer, fault, watchMs } = expected;
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
      const touch = findTouch(timeline, expected, { from, to, scope: 'everything' });
      if (touch) return fail(`${touch.sentence} ${formatNs(touch.at - from)} after ${fault} began`);
      const watched = Math.max(from, Math.min(timeline.events.at(-1)?.at ?? 0, to)) - from;
      if (watched < watchMs * 1e6) return tooShort(`it lasted only ${formatNs(watched)}: too short to tell`);
      return pass(`in ${formatNs(watched)} no mount changed and nothing claimed a recovery`);
    });
    return firstNotPassed(results) ?? results.at(-1) ?? inconclusive('the fault has no window');
  },
);

import type { Crash } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, firstThatDidNotPass, inconclusive, pass } from './finding.ts';
import { settled } from './reads-again.ts';
import { successClaimsOf } from './success-claims.ts';
import { isTableKnown, mountsOfVolume } from './volume-mounts.ts';
import { noCrash, provesReading, startedIn, type Watched, watchedOf } from './watched.ts';

export interface WhileDown {
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
}

/** Between a crash and the daemon's being ready again nothing is mounted for the pod, and nothing claims a recovery. */
export function doesNothingWhileDown(history: readonly HistoryEvent[], places: WhileDown): CheckRecord {
  return concluded({ name: 'nothing is recovered while the daemon is down', claims: ['L4'] }, judge(history, places));
}

function judge(history: readonly HistoryEvent[], places: WhileDown): Finding {
  const watched = watchedOf(history, places.consumer);
  const last = watched.crashes.at(-1);
  if (last === undefined) return inconclusive(noCrash);
  if (!isTableKnown(history, whereOf(places.consumer))) return inconclusive('nobody recorded the pod’s mount table');
  const judged = (crash: Crash) => judgeCrash(watched, crash, places);
  return firstThatDidNotPass(watched.crashes.map(judged)) ?? judged(last);
}

function judgeCrash({ events, operations }: Watched, crash: Crash, places: WhileDown): Finding {
  const { consumer, volume } = places;
  const ready = readyAfter(events, crash);
  const to = ready ?? Math.min(crash.to, crash.end + 1);
  const whileDown = events.filter(({ at }) => at > crash.from && at < to);
  const failed = crash.failures.filter(({ finishedAt }) => finishedAt < to).length;
  const after = (at: number) =>
    `${formatNs(at - crash.from)} after the crash, ${ready === undefined ? 'before any daemon was ready' : `${formatNs(ready - at)} before the daemon was ready`}`;

  const good = startedIn(crash, operations).find(
    (operation) =>
      provesReading(operation) && operation.startedAt > (crash.failures[0]?.finishedAt ?? Number.POSITIVE_INFINITY),
  );
  if (ready === undefined && good !== undefined)
    return inconclusive('the pod read again, but the history does not say when the daemon was ready');
  const mounted = mountsOfVolume(whileDown, { consumer, volume }).find(({ made }) => made);
  if (mounted !== undefined) return fail(`${mounted.mountPoint} (${mounted.where}) was mounted ${after(mounted.at)}`);
  const acted = whileDown.find(
    (event) =>
      event.kind === 'agent' &&
      (event.event === 'replaced' || event.event === 'recovered') &&
      (event.volume ?? volume) === volume,
  );
  if (acted?.kind === 'agent')
    return fail(`the agent said "${acted.event}" of ${acted.where ?? volume} ${after(acted.at)}`);
  const [claim] = successClaimsOf(whileDown, consumer);
  if (claim !== undefined) return fail(`${claim.what} came ${after(claim.at)}`);
  if (failed < settled)
    return inconclusive(`only ${failed} operations failed while the daemon was down: too short to tell`);
  return pass(
    `in ${formatNs(to - crash.from)} without a daemon ${failed} operations failed, nothing was mounted and nothing claimed a recovery`,
  );
}

/** When the first of the daemons that the crash ended was ready again; any daemon where none was seen to end. */
export function readyAfter(events: readonly HistoryEvent[], crash: Crash): number | undefined {
  const daemons = events.flatMap((event) =>
    event.kind === 'process' && event.role === 'daemon' && event.at >= crash.from && event.at < crash.to ? event : [],
  );
  const ended = new Set(daemons.flatMap(({ change, name }) => (change === 'exited' ? servedBy(name) : [])));
  return daemons.find(({ change, name }) => change === 'ready' && (ended.size === 0 || ended.has(servedBy(name))))?.at;
}

/** A FUSE pod that was deleted is followed by one of another generated name. */
const servedBy = (name: string): string => name.replace(/-[a-z0-9]{5}(?=\/[^/]+$)/, '');

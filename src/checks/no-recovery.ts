import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { readyAfter } from './nothing-while-down.ts';
import { settled } from './reads-again.ts';
import { successClaimsOf } from './success-claims.ts';
import { isTableKnown, mountsOfVolume } from './volume-mounts.ts';
import { noCrash, provesReading, watchedOf } from './watched.ts';

export interface NoRecovery {
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
  /** What forbids it: `E1` where the gate is off, `A2` where the label is missing, `L2`, `L3`. */
  readonly claims: readonly string[];
  /** `pod`: only this consumer is left alone. `everything`: nothing of the volume is recovered, on the node neither. */
  readonly scope: 'pod' | 'everything';
  /** How long after the daemon's return it has to stay so: longer than the agent's period. */
  readonly watchMs: number;
}

/** The daemon is back and yet the pod stays as the crash left it: nothing mounted, nothing claimed, errors to the end. */
export function isNotRecovered(history: readonly HistoryEvent[], expected: NoRecovery): CheckRecord {
  return concluded(
    { name: 'the pod is not recovered, and nothing claims that it was', claims: expected.claims },
    judge(history, expected),
  );
}

function judge(history: readonly HistoryEvent[], { consumer, volume, scope, watchMs }: NoRecovery): Finding {
  const { events, operations, crashes } = watchedOf(history, consumer);
  const crash = crashes.at(-1);
  if (crash === undefined) return inconclusive(noCrash);
  const where = whereOf(consumer);
  const later = events.filter(({ at }) => at > crash.from);
  const since = (at: number) => `${formatNs(at - crash.from)} after the crash`;

  const acted = later.find(
    (event) =>
      event.kind === 'agent' &&
      (event.event === 'replaced' || event.event === 'recovered') &&
      (event.where === where || (scope === 'everything' && (event.volume ?? volume) === volume)),
  );
  if (acted?.kind === 'agent')
    return fail(`the agent said "${acted.event}" of ${acted.where ?? 'a place'} ${since(acted.at)}`);
  const claim = successClaimsOf(later, consumer).find(({ about }) => scope === 'everything' || about === 'pod');
  if (claim !== undefined) return fail(`${claim.what} came ${since(claim.at)}`);
  const mounted = mountsOfVolume(later, { consumer, volume }).find(
    (mount) => mount.made && (scope === 'everything' || mount.where === where),
  );
  if (mounted !== undefined) return fail(`${mounted.mountPoint} (${mounted.where}) was mounted ${since(mounted.at)}`);
  const firstFailure = crash.failures[0];
  if (firstFailure === undefined) return inconclusive('the pod saw no error after the crash');
  const good = operations.find(
    (operation) => operation.startedAt > firstFailure.finishedAt && provesReading(operation),
  );
  if (good !== undefined) return fail(`the pod read again ${since(good.finishedAt)}`);

  if (!isTableKnown(history, where)) return inconclusive('nobody recorded the pod’s mount table');
  const ready = readyAfter(events, crash);
  if (ready === undefined) return inconclusive('the daemon did not come back, so there was nothing to recover with');
  const failing = crash.failures.filter(({ startedAt }) => startedAt > ready);
  const watched = (failing.at(-1)?.at ?? ready) - ready;
  if (failing.length < settled || watched < watchMs * 1e6) {
    return inconclusive(
      `the pod was watched for ${formatNs(watched)} after the daemon’s return, ${formatNs(watchMs * 1e6)} are needed`,
    );
  }
  return pass(
    `${crash.failures.length} operations failed, the last ${since(failing.at(-1)?.at ?? ready)}, ${formatNs(watched)} after the daemon’s return`,
  );
}

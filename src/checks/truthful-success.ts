import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { describeFailure } from './errors-seen.ts';
import { concluded, type Finding, fail, firstThatDidNotPass, inconclusive, pass } from './finding.ts';
import { settled } from './reads-again.ts';
import { type SuccessClaim, successClaimsOf } from './success-claims.ts';
import { noCrash, provesReading, type Watched, wasDone, watchedOf } from './watched.ts';

/**
 * Whatever claims that the pod was recovered is true: something had crashed, the agent had replaced the mount before it said
 * so, and from then on the pod's next operations are good, a read among them. An event is never evidence by itself.
 */
export function claimsOnlyTrueSuccess(
  history: readonly HistoryEvent[],
  consumer: Consumer,
  count = settled,
): CheckRecord {
  return concluded(
    { name: 'whoever claims a recovery tells the truth', claims: ['A1', 'L4'] },
    judge(history, consumer, count),
  );
}

function judge(history: readonly HistoryEvent[], consumer: Consumer, count: number): Finding {
  const watched = watchedOf(history, consumer);
  const claims = successClaimsOf(watched.events, consumer);
  if (watched.crashes.length === 0 && claims.length === 0) return inconclusive(noCrash);
  if (claims.length === 0) return inconclusive('nothing claimed a recovery');
  const judged = claims.map((claim) =>
    isOfEarlierCrash(claim, claims, watched)
      ? overtaken
      : judgeClaim({ claim: asMade(claim, claims), watched, consumer, count }),
  );
  const findings = judged.filter((finding) => finding !== overtaken);
  if (findings.length === 0)
    return inconclusive('the next crash came before the pod could confirm or refute any claim');
  const late = judged.length - findings.length;
  return (
    firstThatDidNotPass(findings) ??
    pass(
      `${findings.length === 1 ? 'the claim was' : `all ${findings.length} claims were`} followed by good reads in the pod${late === 0 ? '' : `; ${late} more were overtaken by the next crash`}`,
    )
  );
}

/**
 * A Kubernetes event arrives after the agent has said the same, seconds after where there are many, and the next crash may
 * come in between: it is as true as what the agent said then. They arrive in order, so of each object the first event belongs to
 * the agent's first word, and so on; one too many stands for itself.
 */
function asMade(claim: SuccessClaim, all: readonly SuccessClaim[]): SuccessClaim {
  if (claim.by === 'agent') return claim;
  const number = all.filter(({ by, what }) => by === 'event' && what === claim.what).indexOf(claim);
  const said = all.filter(({ by }) => by === 'agent')[number];
  return said === undefined || said.at > claim.at ? claim : { ...claim, at: said.at, by: 'agent' };
}

/** The next crash came before the pod could confirm or refute it. */
const overtaken = 'overtaken';

/** How long the read may take that a claim rests on: so late after a crash it may still be about what was before. */
const readTakes = 2e9;

/**
 * Where nothing but events tells of a recovery: one that arrives so soon after a crash is of the recovery before, where the pod had
 * read again by then and no event of its kind had said so.
 */
function isOfEarlierCrash(claim: SuccessClaim, all: readonly SuccessClaim[], watched: Watched): boolean {
  if (all.some(({ by }) => by === 'agent')) return false;
  const { crashes, operations } = watched;
  const index = crashes.findLastIndex(({ from }) => from <= claim.at);
  const [before, crash] = [crashes[index - 1], crashes[index]];
  if (before === undefined || crash === undefined || claim.at - crash.from >= readTakes) return false;
  const told = all.some(({ at, what }) => what === claim.what && at >= before.from && at < crash.from);
  const firstSince = all.find(({ at, what }) => what === claim.what && at >= crash.from);
  const failed = before.failures.at(-1)?.finishedAt ?? before.from;
  const hadRead = operations.some(
    (operation) => provesReading(operation) && operation.startedAt >= failed && operation.startedAt < crash.from,
  );
  return !told && firstSince === claim && hadRead;
}

interface Judged {
  readonly claim: SuccessClaim;
  readonly watched: Watched;
  readonly consumer: Consumer;
  readonly count: number;
}

function judgeClaim({ claim, watched, consumer, count }: Judged): Finding | typeof overtaken {
  const { events, operations, crashes, hangs } = watched;
  const crash = crashes.findLast(({ from }) => from <= claim.at);
  if (crash === undefined) return fail(`${claim.what} came before anything had crashed`);
  const since = `${claim.what} ${formatNs(claim.at - crash.from)} after the crash`;
  const where = whereOf(consumer);
  const replacements = events.filter((event) => event.kind === 'agent').filter(({ event }) => event === 'replaced');
  const replaced = replacements.findLast((event) => event.where === where && event.at <= claim.at)?.at;
  // Who never tells of a mount, only of success, is judged by what is read after it.
  if (claim.by === 'agent' && replacements.length > 0 && (replaced === undefined || replaced < crash.from)) {
    const isLate = replaced !== undefined && replaced > (crashes[0]?.from ?? 0) && claim.at - crash.from < readTakes;
    if (!isLate) return fail(`${since}: the agent had not replaced the pod’s mount`);
    const between = operations.filter(({ startedAt }) => startedAt > replaced && startedAt < crash.from);
    return between.some(provesReading) ? pass(since) : overtaken;
  }

  const next = operations
    .filter((operation) => wasDone(operation) && operation.startedAt >= claim.at && operation.startedAt < crash.to)
    .slice(0, count);
  const wrong = next.find(({ result, finishedAt }) => result !== 'ok' && finishedAt < crash.to);
  if (wrong !== undefined) return fail(`${since}: later ${describeFailure(wrong, crash.from)}`);
  const stuck = hangs.find(({ since: began, until }) => began >= claim.at && began < crash.to && until === undefined);
  if (stuck !== undefined) return fail(`${since}: an operation that began later never came back`);
  const hasRead = next.some((operation) => operation.op === 'read' && provesReading(operation));
  // The next crash may come before so many operations; then one good read has to do.
  const isOvertaken = crash.to < Number.POSITIVE_INFINITY;
  if (isOvertaken && !hasRead) return overtaken;
  if (!hasRead || (!isOvertaken && next.length < count)) {
    return inconclusive(`${since}: only ${next.length} of ${count} operations are known since`);
  }
  return pass(since);
}

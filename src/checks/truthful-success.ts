import { type Consumer, containerName } from '../timeline/consumer.ts';
import { neverReturned, provesReading, wasPerformed } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { SuccessClaim } from '../timeline/success-claims.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { type CheckResult, defineCheck, fail, firstNotPassed, inconclusive, noCrash, pass, tooShort } from './check.ts';
import { describeFailure } from './outage.ts';
import { steadyCount } from './reads.ts';

/**
 * Every claim that the pod was recovered is true: something had crashed, the agent had replaced the mount before it claimed
 * success, and from then on the pod's next operations succeed, a read among them. An event is never evidence by itself.
 */
export const claimsOnlyTrueSuccess = defineCheck(
  { name: 'every claim of a recovery is true', claims: ['A1', 'L4'] },
  (timeline: Timeline, consumer: Consumer, count: number = steadyCount) => {
    const claims = timeline.successClaims(consumer);
    if (claims.length === 0)
      return inconclusive(timeline.observe(consumer).crashes.length === 0 ? noCrash : 'nothing claimed a recovery');
    const lateClaims = findLateClaims(claims, { timeline, consumer });
    const judged = claims.map((claim) =>
      lateClaims.has(claim) ? overtaken : judgeClaim({ claim: backdate(claim, claims), timeline, consumer, count }),
    );
    const results = judged.filter((result) => result !== overtaken);
    if (results.length === 0)
      return inconclusive('the next crash came before the pod could confirm or refute any claim');
    const late = judged.length - results.length;
    return (
      firstNotPassed(results) ??
      pass(
        `${results.length === 1 ? 'the claim was' : `all ${results.length} claims were`} followed by good reads in the pod${late === 0 ? '' : `; ${late} more were overtaken by the next crash`}`,
      )
    );
  },
);

/**
 * A Kubernetes event arrives after the agent's own report, seconds later if there are many, and the next crash may come in
 * between: it is as true as the report was. Events arrive in order, so the first event of each object belongs to the agent's
 * first report, and so on; an event in excess stands for itself.
 */
function backdate(claim: SuccessClaim, all: readonly SuccessClaim[]): SuccessClaim {
  if (claim.by === 'agent') return claim;
  const index = all.filter(({ by, description }) => by === 'event' && description === claim.description).indexOf(claim);
  const report = all.filter(({ by }) => by === 'agent')[index];
  return report === undefined || report.at > claim.at ? claim : { ...claim, at: report.at, by: 'agent' };
}

/** The next crash came before the pod could confirm or refute the claim. */
const overtaken = 'overtaken';

/** The longest duration of the read on which a claim rests: within it, a claim may be about the time before the crash. */
const longestReadNs = 2e9;

interface Observed {
  readonly timeline: Timeline;
  readonly consumer: Consumer;
}

/**
 * The claims that are about the crash before the last one, if only events report recoveries. Events of a kind report one crash after another:
 * one that comes soon after a crash is about the one before if no event of its kind has reported that, and if the pod had read again.
 */
function findLateClaims(all: readonly SuccessClaim[], { timeline, consumer }: Observed): ReadonlySet<SuccessClaim> {
  const late = new Set<SuccessClaim>();
  if (all.some(({ by }) => by === 'agent')) return late;
  const { crashes, operations } = timeline.observe(consumer);
  const hadReadAgain = (index: number) => {
    const failed = crashes[index]?.failures.at(-1)?.finishedAt ?? crashes[index]?.from ?? 0;
    const next = crashes[index + 1]?.from ?? 0;
    return operations.some(
      (operation) => provesReading(operation) && operation.startedAt >= failed && operation.startedAt < next,
    );
  };
  for (const claims of Map.groupBy(all, ({ description }) => description).values()) {
    let reported = -1;
    for (const claim of claims.toSorted((a, b) => a.at - b.at)) {
      const index = crashes.findLastIndex(({ from }) => from <= claim.at);
      const isSoon = claim.at - (crashes[index]?.from ?? 0) < longestReadNs;
      const isLate = reported < index - 1 && isSoon && hadReadAgain(index - 1);
      if (isLate) late.add(claim);
      reported = Math.max(reported, isLate ? index - 1 : index);
    }
  }
  return late;
}

interface JudgedClaim extends Observed {
  readonly claim: SuccessClaim;
  readonly count: number;
}

function judgeClaim({ claim, timeline, consumer, count }: JudgedClaim): CheckResult | typeof overtaken {
  const { operations, crashes, hangs } = timeline.observe(consumer);
  const crash = crashes.findLast(({ from }) => from <= claim.at);
  if (crash === undefined) return fail(`${claim.description} came before anything had crashed`);
  const since = `${claim.description} ${formatNs(claim.at - crash.from)} after the crash`;
  const container = containerName(consumer);
  const replacements = timeline.ofKind('agent').filter(({ event }) => event === 'replaced');
  const replaced = replacements.findLast(({ where, at }) => where === container && at <= claim.at)?.at;
  // An agent that reports success but never a replacement is judged by what is read afterwards.
  if (claim.by === 'agent' && replacements.length > 0 && (replaced === undefined || replaced < crash.from)) {
    const isLate =
      replaced !== undefined && replaced > (crashes[0]?.from ?? 0) && claim.at - crash.from < longestReadNs;
    if (!isLate) return fail(`${since}: the agent had not replaced the pod’s mount`);
    const between = operations.filter(({ startedAt }) => startedAt > replaced && startedAt < crash.from);
    return between.some(provesReading) ? pass(since) : overtaken;
  }

  const next = operations
    .filter((operation) => wasPerformed(operation) && operation.startedAt >= claim.at && operation.startedAt < crash.to)
    .slice(0, count);
  const wrong = next.find(({ result, finishedAt }) => result !== 'ok' && finishedAt < crash.to);
  if (wrong !== undefined) return fail(`${since}: later ${describeFailure(wrong, crash.from)}`);
  const stuck = hangs.find(({ since: began, until }) => began >= claim.at && began < crash.to && until === undefined);
  if (stuck !== undefined) {
    const sentence = `${since}: an operation that began later`;
    return neverReturned(stuck, timeline)
      ? fail(`${sentence} never came back`)
      : tooShort(`${sentence} is not back yet`);
  }
  const hasRead = next.some((operation) => operation.op === 'read' && provesReading(operation));
  // If the next crash comes before enough operations, one good read suffices.
  const isOvertaken = crash.to < Number.POSITIVE_INFINITY;
  if (isOvertaken && !hasRead) return overtaken;
  if (!hasRead || (!isOvertaken && next.length < count)) {
    return tooShort(`${since}: only ${next.length} of ${count} operations are known since`);
  }
  return pass(since);
}

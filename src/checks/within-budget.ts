import type { Budgets } from '../profiles/profile.ts';
import { type Consumer, probeName } from '../timeline/consumer.ts';
import { provesReading } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { ProbeEvent, Recovery } from '../timeline/record.ts';
import { momentNames, waterfallOf } from '../timeline/stages.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { type CheckResult, defineCheck, fail, inconclusive, miss, noCrash, pass, tooBusy } from './check.ts';

/**
 * Each recovery of the consumer is as fast as the profile promises. The budget of the whole outage applies to the first crash
 * only, because Kubernetes waits longer and longer before it restarts a container again. The time from the daemon's return counts
 * from the moment at which the agent, too, was ready. On a machine on which the probe itself comes late nothing can be said.
 */
export const recoversWithinBudget = defineCheck(
  { name: 'the pod reads again within the budget', claims: ['L1'] },
  (
    timeline: Timeline,
    {
      consumer,
      budgets,
    }: { readonly consumer: Consumer; readonly budgets: Pick<Budgets, 'outageMs' | 'readyToReadableMs'> },
  ) => {
    const { outageMs, readyToReadableMs } = budgets;
    const felt = timeline.recoveries.filter(
      ({ probe, firstError }) => probe === probeName(consumer) && firstError !== undefined,
    );
    if (felt.length === 0) return inconclusive('no crash that the pod felt is in the history');
    let worst = { outage: 0, ready: Number.NEGATIVE_INFINITY };
    for (const [index, recovery] of felt.entries()) {
      const { crash, readable, daemonReady } = recovery;
      if (readable === undefined) return fail(`the pod did not read again; ${formatPhases(recovery)}`);
      const outage = index === 0 ? readable - crash : 0;
      const late = (sentence: string) =>
        failUnlessBusy(sentence, { operations: timeline.observe(consumer).operations, from: crash, to: readable });
      if (outage > outageMs * 1e6)
        return late(
          `the outage took ${formatNs(outage)}, the budget is ${formatNs(outageMs * 1e6)}; ${formatPhases(recovery)}`,
        );
      if (daemonReady === undefined)
        return inconclusive(`the history does not show when the daemon was ready; ${formatPhases(recovery)}`);
      const agentReady = timeline
        .ofKind('process')
        .findLast(({ role, change, at }) => role === 'agent' && change === 'ready' && at > crash && at < readable);
      const ready = readable - Math.max(daemonReady, agentReady?.at ?? 0);
      if (ready > readyToReadableMs * 1e6) {
        return late(
          `the pod read ${formatNs(ready)} after the daemon was ready, the budget is ${formatNs(readyToReadableMs * 1e6)}; ${formatPhases(recovery)}`,
        );
      }
      worst = { outage: Math.max(worst.outage, outage), ready: Math.max(worst.ready, ready) };
    }
    const many = felt.length === 1 ? '' : `, the worst of ${felt.length} crashes`;
    return pass(
      `first outage ${formatNs(worst.outage)} of ${formatNs(outageMs * 1e6)}, daemon ready to readable ${formatNs(worst.ready)} of ${formatNs(readyToReadableMs * 1e6)}${many}`,
    );
  },
);

/** After the last crash the pod reads again within the budget of an outage, whether or not it is known when the FUSE process was back. */
export const endsOutageInTime = defineCheck(
  { name: 'the outage ends within the budget', claims: [] },
  (timeline: Timeline, { consumer, outageMs }: { readonly consumer: Consumer; readonly outageMs: number }) => {
    const { operations, crashes } = timeline.observe(consumer);
    const crash = crashes.at(-1);
    const lastFailure = crash?.failures.at(-1);
    if (crash === undefined || lastFailure === undefined) return inconclusive(noCrash);
    const good = operations.find(
      (operation) => operation.startedAt >= lastFailure.finishedAt && provesReading(operation),
    );
    if (good === undefined) return fail('the pod did not read again');
    const outage = good.finishedAt - crash.from;
    const figures = `the outage took ${formatNs(outage)}, the budget is ${formatNs(outageMs * 1e6)}`;
    return outage > outageMs * 1e6
      ? failUnlessBusy(figures, { operations, from: crash.from, to: good.finishedAt })
      : pass(figures);
  },
);

/** If the probe's own thread waits this long for a processor, so may the agent. */
const busyNs = 100e6;

export interface ProbedTime {
  readonly operations: readonly ProbeEvent[];
  readonly from: number;
  readonly to: number;
}

/** A budget was missed: a failure, unless the probe itself came late, so that nothing can be said. */
export function failUnlessBusy(sentence: string, time: ProbedTime): CheckResult {
  const late = longestDelay(time);
  return late > busyNs ? tooBusy(formatNs(late), sentence) : miss(sentence);
}

/** The longest time for which an operation was due, and no other was in progress, before it started. */
function longestDelay({ operations, from, to }: ProbedTime): number {
  let longest = 0;
  let free = 0;
  for (const { at, startedAt, finishedAt } of operations) {
    const isPerformed = startedAt < finishedAt;
    if (isPerformed && at >= from && startedAt <= to) longest = Math.max(longest, startedAt - Math.max(at, free));
    free = Math.max(free, finishedAt);
  }
  return longest;
}

/** `first error in the pod +0.60 ms, daemon back +153 ms, ...`, each since the moment before it. */
function formatPhases(recovery: Recovery): string {
  const steps = waterfallOf(recovery).slice(1);
  return (
    steps.map(({ moment, sinceBefore }) => `${momentNames[moment]} +${formatNs(sinceBefore)}`).join(', ') ||
    'nothing else is known'
  );
}

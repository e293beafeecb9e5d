import type { Consumer } from '../timeline/consumer.ts';
import { neverReturned } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { HistoryEvent } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, pass, tooShort } from './check.ts';
import { failUnlessBusy } from './within-budget.ts';

export interface HeldProgram {
  /** As in its `output` events: the program prints `ok`, `wrong` or an errno name for each read. */
  readonly program: string;
}

/** Reads that are enough to conclude that the descriptor continues. */
const fewestReads = 3;

/** A descriptor from before the fault continues as if nothing had happened. */
export const heldFileGoesOn = defineCheck(
  { name: 'a file that was held open is read on', claims: [] },
  (timeline: Timeline, { program }: HeldProgram) => {
    const reads = timeline.ofKind('output').filter((each) => each.program === program && each.stream === 'stdout');
    const fault = timeline.injections.at(-1)?.at;
    if (fault === undefined) return inconclusive('the history has no fault');
    const bad = reads.find(({ text }) => text !== 'ok');
    if (bad !== undefined) return fail(`a read gave ${bad.text}, ${formatNs(bad.at - fault)} after the last fault`);
    const after = reads.filter(({ at }) => at > fault).length;
    return after < fewestReads
      ? tooShort(`only ${after} of ${fewestReads} reads were made after the last fault`)
      : pass(`all ${reads.length} reads were good, ${after} after the last fault`);
  },
);

/** No request is answered twice: the kernel takes each answer of a daemon, or its caller was interrupted. */
export const answersOnce = defineCheck({ name: 'no request is answered twice', claims: [] }, (timeline: Timeline) => {
  if (timeline.injections.length === 0) return inconclusive('the history has no fault');
  const answers = timeline.ofKind('output').flatMap(({ text }) => daemonLine(text) ?? []);
  const refused = answers.filter(({ event }) => event === 'answer-refused');
  const resent = answers.filter(({ event }) => event === 'resent').length;
  if (refused.length > 0)
    return fail(`the kernel refused ${refused.length} answers, the first to ${refused[0]?.unique}`);
  return pass(`the kernel sent ${resent} requests again and refused no answer`);
});

/** A daemon that takes a connection over serves it until it is killed: one that ends by itself only hands its work on. */
export const daemonsGoOn = defineCheck(
  { name: 'no daemon ends by itself after a takeover', claims: [] },
  (timeline: Timeline) => {
    const [fault] = timeline.injections;
    if (fault === undefined) return inconclusive('the history has no fault');
    const exits = timeline.daemons.filter(({ change, at }) => change === 'exited' && at > fault.at);
    const alone = exits.find(({ signal }) => signal !== 'SIGKILL');
    if (alone !== undefined)
      return fail(`a daemon ended ${formatNs(alone.at - fault.at)} after the fault with status ${alone.exitCode}`);
    return pass(`${exits.length} daemons ended, each because it was killed`);
  },
);

export interface FallBack {
  readonly consumer: Consumer;
  /** The keeper's deadline, and how late the end of the connection may be seen. */
  readonly deadlineMs: number;
  readonly slackMs: number;
}

/** A keeper that waits in vain lets the connection end at its deadline, so that ordinary recovery follows. */
export const fallsBackInTime = defineCheck(
  { name: 'waiting ends at the deadline of the keeper', claims: [] },
  (timeline: Timeline, { consumer, deadlineMs, slackMs }: FallBack) => {
    const { operations, hangs } = timeline.observe(consumer);
    const [fault] = timeline.injections;
    if (fault === undefined) return inconclusive('the history has no fault');
    const latest = fault.at + (deadlineMs + slackMs) * 1e6;
    const failure = operations.find(({ result, finishedAt }) => result !== 'ok' && finishedAt > fault.at);
    const lost = hangs.find((hang) => neverReturned(hang, timeline));
    const expected = `the deadline is ${formatNs(deadlineMs * 1e6)}`;
    if (failure === undefined)
      return lost === undefined
        ? inconclusive('no operation failed')
        : fail(`an operation waits for ever; ${expected}`);
    const after = formatNs(failure.finishedAt - fault.at);
    return failure.finishedAt > latest
      ? failUnlessBusy(`the first operation failed ${after} after the fault; ${expected}`, {
          operations,
          from: fault.at,
          to: failure.finishedAt,
        })
      : pass(`the first operation failed ${after} after the fault; ${expected}`);
  },
);

/** The event of a line of the keeper's log; undefined for other events of the history. */
export function keeperEvent(event: HistoryEvent): unknown {
  if (event.kind !== 'output' || event.program !== 'rekindle-keeper') return undefined;
  return JSON.parse(event.text).event;
}

/** A line of a FUSE daemon about a request that was sent again, or an answer that was refused. */
function daemonLine(text: string): { readonly event: string; readonly unique: string } | undefined {
  if (!text.startsWith('{')) return undefined;
  const line: unknown = JSON.parse(text);
  if (typeof line !== 'object' || line === null || !('unique' in line) || !('event' in line)) return undefined;
  return { event: String(line.event), unique: String(line.unique) };
}

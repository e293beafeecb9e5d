import type { Consumer } from '../timeline/consumer.ts';
import { formatNs } from '../timeline/duration.ts';
import type { EventOf } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { count } from '../timeline/verdict.ts';
import { defineCheck, fail, inconclusive, noCrash, pass } from './check.ts';

/** A program of the user's own that ran in the pod during the crash. */
export interface ObservedProgram {
  /** Its name in `output` events. */
  readonly name: string;
  readonly consumer: Consumer;
  /** Text that shows success: it must be printed after the pod reads again. */
  readonly expect?: string;
  /** How it ended, if it did. */
  readonly end?: { readonly exitCode: number | null; readonly signal: string | null };
}

/** What a program prints about a dead mount: the text of its errno in C's locale, its name, or its number. */
const deadMount =
  /transport endpoint is not connected|software caused connection abort|input\/output error|\b(?:ENOTCONN|ECONNABORTED|EIO)\b|\berrno:? ?(?:107|103|5)\b/i;

/** Judged by the program's own output and end; that it still runs shows nothing. */
export const getsItsDataBack = defineCheck(
  { name: 'the program gets its data back', claims: ['L1'] },
  (timeline: Timeline, { name, consumer, expect, end }: ObservedProgram) => {
    const { operations, crashes } = timeline.observe(consumer);
    const crash = crashes.at(-1);
    if (crash === undefined) return inconclusive(noCrash);
    const lines = timeline.ofKind('output').filter(({ at, program }) => program === name && at >= crash.from);
    const last = lines.at(-1);
    const lastLine = last === undefined ? 'it had printed nothing since the crash' : `its last line: ${quote(last)}`;
    if (end !== undefined && end.exitCode !== 0)
      return fail(`it ended with ${end.signal ?? `status ${end.exitCode}`}; ${lastLine}`);

    const failedAt = crash.failures.at(-1)?.finishedAt ?? crash.from;
    const readable = operations.find(
      ({ op, result, startedAt }) => op === 'read' && result === 'ok' && startedAt >= failedAt,
    );
    if (readable === undefined) return inconclusive(`the pod did not read again; ${lastLine}`);
    const since = (event: EventOf<'output'>) => `${formatNs(event.at - crash.from)} after the crash`;
    const after = lines.filter(({ at }) => at >= readable.finishedAt);
    if (expect !== undefined) {
      const found = after.find(({ text }) => text.includes(expect));
      return found === undefined
        ? fail(`it did not print "${expect}" after the pod read again; ${lastLine}`)
        : pass(`it printed ${quote(found)} ${since(found)}`);
    }
    const errors = lines.filter(({ text }) => deadMount.test(text));
    const error = errors.at(-1);
    if (error !== undefined && error === last) return fail(`it still failed ${since(error)}: ${quote(error)}`);
    const good = after.filter(({ at, text }) => !deadMount.test(text) && at >= (error?.at ?? 0));
    const failures =
      errors.length === 0 ? 'no error of a dead mount' : `${count(errors.length, 'error')} of the dead mount`;
    const [first] = good;
    if (first !== undefined) return pass(`after ${failures} it printed ${quote(first)} ${since(first)}`);
    const silent = 'it printed nothing after the pod read again';
    if (end !== undefined) return inconclusive(`it ended with status 0, but ${silent}`);
    const advice =
      'programs buffer what they print into a pipe (python3 -u, stdbuf -oL); --expect TEXT names what shows success';
    return inconclusive(`${silent}: ${advice}`);
  },
);

function quote({ text }: EventOf<'output'>): string {
  const line = text.trim();
  return `"${line.length > 80 ? `${line.slice(0, 79)}…` : line}"`;
}

import { provesReading } from '../timeline/crashes.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, pass } from './check.ts';
import { isOutageError } from './outage.ts';

export interface HeldFile {
  /** As in its `output` events: the program prints `ok`, `wrong` or an errno name for each read. */
  readonly program: string;
  /** Release of the kernel, as `uname -r` prints it. */
  readonly kernel: string;
}

/** Failures after the recovery that are enough to conclude that reads fail for good. */
const fewestFailures = 3;

/**
 * A descriptor from before the crash is lost for good: before the crash it reads the right bytes, and after it every read fails
 * with the error of a dead connection, even long after the mount was replaced.
 */
export const failsCleanly = defineCheck(
  { name: 'a file that was held open fails cleanly, and never with wrong bytes', claims: ['L1'] },
  (timeline: Timeline, { program, kernel }: HeldFile) => {
    const reads = timeline.ofKind('output').filter((event) => event.program === program && event.stream === 'stdout');
    const crash = timeline.injections[0]?.at;
    if (crash === undefined) return inconclusive('nothing crashed');
    if (reads.findLast(({ at }) => at < crash)?.text !== 'ok')
      return inconclusive('the file was not read before the crash');
    if (reads.some(({ text }) => text === 'wrong')) return fail('a read gave other bytes than the file has');
    const failed = reads.findIndex(({ text }) => text !== 'ok');
    if (failed < 0) return inconclusive('no read failed after the crash');
    const after = reads.slice(failed);
    const other = after.find(({ text }) => !isOutageError({ result: text, call: 'read' }, kernel));
    if (other?.text === 'ok') return fail('a read was good again after it had failed');
    if (other !== undefined) return fail(`a read got ${other.text}`);
    const recovered = findRecovery(timeline);
    const late = after.filter(({ at }) => recovered !== undefined && at > recovered).length;
    if (late < fewestFailures)
      return inconclusive(`only ${late} of ${fewestFailures} reads were tried after the recovery`);
    return pass(
      `all ${after.length} reads since the crash failed with ${after.at(-1)?.text}, ${late} after the recovery`,
    );
  },
);

/** When the agent reported a recovery; if it keeps no log, when the first read after the last failure returned. */
function findRecovery(timeline: Timeline): number | undefined {
  const reported = timeline.ofKind('agent').findLast(({ event }) => event === 'recovered');
  if (reported !== undefined) return reported.at;
  const operations = timeline.ofKind('probe').toSorted((a, b) => a.finishedAt - b.finishedAt);
  const failed = operations.findLastIndex(({ result }) => result !== 'ok');
  return failed < 0 ? undefined : operations.slice(failed).find(provesReading)?.finishedAt;
}

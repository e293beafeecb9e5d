import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { isOutageError } from './errors-seen.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { provesReading } from './watched.ts';

export interface HeldFile {
  /** As in its `output` events: the program prints `ok`, `wrong` or an errno name for each read. */
  readonly program: string;
  /** Release of the kernel, as `uname -r` prints it. */
  readonly kernel: string;
}

/** How often it has to have failed after the daemon is back: enough to say that it goes on to. */
const often = 3;

/**
 * A descriptor from before the crash is lost for good: before the crash it reads the right bytes, after it every read fails
 * with the error of a dead connection, also when the mount has long been replaced.
 */
export function failsCleanly(history: readonly HistoryEvent[], { program, kernel }: HeldFile): CheckRecord {
  return concluded(
    { name: 'a file that was held open fails cleanly, and never with wrong bytes', claims: ['L1'] },
    judge(history, program, kernel),
  );
}

function judge(history: readonly HistoryEvent[], program: string, kernel: string): Finding {
  const said = history.flatMap((event) =>
    event.kind === 'output' && event.program === program && event.stream === 'stdout' ? event : [],
  );
  const crash = history.find((event) => event.kind === 'fault' && event.phase === 'injected')?.at;
  if (crash === undefined) return inconclusive('nothing crashed');
  const before = said.filter(({ at }) => at < crash);
  if (before.at(-1)?.text !== 'ok') return inconclusive('the file was not read before the crash');
  if (said.some(({ text }) => text === 'wrong')) return fail('a read gave other bytes than the file has');
  const failed = said.findIndex(({ text }) => text !== 'ok');
  if (failed < 0) return inconclusive('no read failed after the crash');
  const after = said.slice(failed);
  const other = after.find(({ text }) => !isOutageError({ result: text, call: 'read' }, kernel));
  if (other?.text === 'ok') return fail('a read was good again after it had failed');
  if (other !== undefined) return fail(`a read got ${other.text}`);
  const recovered = recoveredAt(history);
  const late = after.filter(({ at }) => recovered !== undefined && at > recovered).length;
  if (late < often) return inconclusive(`only ${late} of ${often} reads were tried after the recovery`);
  return pass(
    `all ${after.length} reads since the crash failed with ${after.at(-1)?.text}, ${late} after the recovery`,
  );
}

/** When the agent said so; of one that keeps no log, when the first read after the last failure came back. */
function recoveredAt(history: readonly HistoryEvent[]): number | undefined {
  const said = history.findLast((event) => event.kind === 'agent' && event.event === 'recovered');
  if (said !== undefined) return said.at;
  const operations = history.filter((event) => event.kind === 'probe').toSorted((a, b) => a.finishedAt - b.finishedAt);
  const failed = operations.findLastIndex(({ result }) => result !== 'ok');
  return failed < 0 ? undefined : operations.slice(failed).find(provesReading)?.finishedAt;
}

import type { Timeline } from '../timeline/timeline.ts';
import { count } from '../timeline/verdict.ts';
import { type CheckResult, defineCheck, fail, inconclusive, pass } from './check.ts';

export interface TranscriptExpectation {
  /** Name under which the loop runs. */
  readonly program: string;
  /** Names that each listing must hold. */
  readonly files: readonly string[];
}

/**
 * The loop `while true; do ls -l /data; sleep 1; done` prints what the document shows: listings, then for a while "Transport
 * endpoint is not connected", then listings again, and continues. Judged by the error's text, not by the path in it.
 */
export const printsDocumentedTranscript = defineCheck(
  { name: 'the loop prints the documented transcript', claims: ['C1', 'C3'] },
  (timeline: Timeline, { program, files }: TranscriptExpectation) => {
    const transcript = parseTranscript(timeline, program);
    const { listings, errors } = transcript;
    if (transcript.lines === 0) return inconclusive(`"${program}" printed nothing`);
    if (transcript.foreign !== undefined) return fail(`the loop printed "${transcript.foreign}"`);
    const firstError = errors[0];
    const lastError = errors.at(-1);
    if (firstError === undefined || lastError === undefined) {
      return inconclusive(`the loop listed ${listings.length} times and saw no error`);
    }
    const isWhole = ({ names, broken }: LoopListing) => !broken && files.every((file) => names.includes(file));
    // The last listing may be incomplete yet; one that was cut off shows question marks or an error of its own.
    const lacking = listings.slice(0, -1).find((listing) => !isWhole(listing) && !listing.broken);
    if (lacking !== undefined)
      return fail(`a listing held ${lacking.names.join(', ') || 'nothing'} instead of ${files.join(', ')}`);
    const before = listings.filter((listing) => listing.position < firstError && isWhole(listing)).length;
    const after = listings.filter((listing) => listing.position > lastError && isWhole(listing)).length;
    if (before === 0) return inconclusive('the loop had listed nothing before its first error');
    const end = judgeExit(transcript);
    if (end) return end;
    if (after === 0) return fail(`after ${count(errors.length, 'error')} the loop listed no files again`);
    const flapped = listings.some(({ position, broken }) => position > firstError && position < lastError && !broken);
    const between = flapped ? ', with listings in between' : '';
    return pass(
      `${count(before, 'listing')}, ${count(errors.length, 'error')}${between}, ${count(after, 'listing')}, and the loop continues`,
    );
  },
);

function judgeExit({ exit }: Transcript): CheckResult | undefined {
  return exit === undefined ? undefined : fail(`the loop ended (${exit}) but must continue`);
}

/** The output of one `ls -l`. */
interface LoopListing {
  /** Index of its first line in the output. */
  readonly position: number;
  readonly names: readonly string[];
  /** It was cut off: some entries have question marks for their attributes, or reading the directory failed midway. */
  readonly broken: boolean;
}

interface Transcript {
  readonly lines: number;
  readonly listings: readonly LoopListing[];
  /** Indexes of the error lines that the document shows. */
  readonly errors: readonly number[];
  /** The first line that belongs neither to a listing nor to such an error. */
  readonly foreign: string | undefined;
  /** How the program ended; undefined while it runs. */
  readonly exit: string | undefined;
}

/** Lines of `ls` in the C locale, with any path and quotes, recognised by the text of ENOTCONN or ECONNABORTED. */
const outageLine = /^(\S*\/)?ls: .+: (Transport endpoint is not connected|Software caused connection abort)$/;
const midwayLine = /^(\S*\/)?ls: reading directory /;
const entryLine = /^[-bcdlps][-rwxsStT?]{9}[.+@]?\s.*?(\S+)( -> .*)?$/;
const unknownEntryLine = /^[-bcdlps?]\?{9}\s/;

/** The loop's output as listings and errors, in the order of its lines. A listing begins with `total`. */
function parseTranscript(timeline: Timeline, program: string): Transcript {
  const lines = timeline.ofKind('output').flatMap((event) => (event.program === program ? event.text.split('\n') : []));
  const listings: { position: number; names: string[]; broken: boolean }[] = [];
  const errors: number[] = [];
  let foreign: string | undefined;
  for (const [position, line] of lines.entries()) {
    const current = listings.at(-1);
    const name = entryLine.exec(line)?.[1];
    if (line === '') continue;
    if (/^total \d/.test(line)) {
      listings.push({ position, names: [], broken: midwayLine.test(lines[position - 1] ?? '') });
    } else if (outageLine.test(line)) {
      errors.push(position);
      // Standard output and standard error are separate streams: its listing may come before or after it.
      if (current?.names.length === 0 && midwayLine.test(line)) current.broken = true;
    } else if (current !== undefined && unknownEntryLine.test(line)) current.broken = true;
    else if (current !== undefined && name !== undefined) current.names.push(name);
    else foreign ??= line;
  }
  const end = timeline
    .ofKind('process')
    .find(({ role, name, change }) => role === 'program' && name === program && change === 'exited');
  const exit = end && (end.signal ?? `status ${end.exitCode ?? 'unknown'}`);
  return { lines: lines.length, listings, errors, foreign, exit };
}

import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { type Listing, listingsOf, type Transcript } from './transcript.ts';

export interface TranscriptExpectation {
  /** Name under which the loop runs. */
  readonly program: string;
  /** Names that each listing holds. */
  readonly files: readonly string[];
}

/**
 * The loop `while true; do ls -l /data; sleep 1; done` prints what the document shows: listings, then for a while "Transport
 * endpoint is not connected", then listings again, and goes on. Judged by the error's text, not by the path in it.
 */
export function printsDocumentedTranscript(
  history: readonly HistoryEvent[],
  expected: TranscriptExpectation,
): CheckRecord {
  return concluded(
    { name: 'the loop prints the documented transcript', claims: ['C1', 'C3'] },
    judge(history, expected),
  );
}

function judge(history: readonly HistoryEvent[], { program, files }: TranscriptExpectation): Finding {
  const transcript = listingsOf(history, program);
  const { listings, errors } = transcript;
  if (transcript.lines === 0) return inconclusive(`"${program}" printed nothing`);
  if (transcript.foreign !== undefined) return fail(`the loop printed "${transcript.foreign}"`);
  const firstError = errors[0];
  const lastError = errors.at(-1);
  if (firstError === undefined || lastError === undefined) {
    return inconclusive(`the loop listed ${listings.length} times and saw no error`);
  }
  // The last listing may still be on its way; one that broke off in the middle shows question marks or an error of its own.
  const lacking = listings.slice(0, -1).find((listing) => !isWhole(listing, files) && !listing.broken);
  if (lacking !== undefined)
    return fail(`a listing held ${lacking.names.join(', ') || 'nothing'} instead of ${files.join(', ')}`);
  const before = listings.filter((listing) => listing.position < firstError && isWhole(listing, files)).length;
  const after = listings.filter((listing) => listing.position > lastError && isWhole(listing, files)).length;
  if (before === 0) return inconclusive('the loop had listed nothing before its first error');
  if (after === 0)
    return ended(transcript) ?? fail(`after ${count(errors.length, 'error')} the loop listed no files again`);
  const between = listings.find(({ position, broken }) => position > firstError && position < lastError && !broken);
  const flapped = between === undefined ? '' : ', with listings in between';
  return (
    ended(transcript) ??
    pass(
      `${count(before, 'listing')}, ${count(errors.length, 'error')}${flapped}, ${count(after, 'listing')}, and the loop goes on`,
    )
  );
}

function ended({ exit }: Transcript): Finding | undefined {
  return exit === undefined ? undefined : fail(`the loop ended (${exit}) while it had to go on`);
}

const isWhole = ({ names, broken }: Listing, files: readonly string[]) =>
  !broken && files.every((file) => names.includes(file));

const count = (number: number, thing: string) => `${number} ${thing}${number === 1 ? '' : 's'}`;

import type { HistoryEvent } from '../timeline/record.ts';

/** What one `ls -l` printed. */
export interface Listing {
  /** Place among the lines. */
  readonly position: number;
  readonly names: readonly string[];
  /** It broke off: some entries have question marks for their attributes, or reading the directory failed midway. */
  readonly broken: boolean;
}

export interface Transcript {
  readonly lines: number;
  readonly listings: readonly Listing[];
  /** Places of the error lines that the document shows. */
  readonly errors: readonly number[];
  /** The first line that is neither of a listing nor such an error. */
  readonly foreign: string | undefined;
  /** How the program ended; undefined while it goes on. */
  readonly exit: string | undefined;
}

/** `ls`, in the C locale: path and quotes as they come, judged by the text of ENOTCONN or ECONNABORTED. */
const outage = /^(\S*\/)?ls: .+: (Transport endpoint is not connected|Software caused connection abort)$/;
const midway = /^(\S*\/)?ls: reading directory /;
const entry = /^[-bcdlps][-rwxsStT?]{9}[.+@]?\s.*?(\S+)( -> .*)?$/;
const unknownEntry = /^[-bcdlps?]\?{9}\s/;

/** The loop's output as listings and errors, in the order in which the lines came. A listing begins with `total`. */
export function listingsOf(history: readonly HistoryEvent[], program: string): Transcript {
  const events = history.toSorted((a, b) => a.at - b.at);
  const lines = events.flatMap((event) =>
    event.kind === 'output' && event.program === program ? event.text.split('\n') : [],
  );
  const listings: { position: number; names: string[]; broken: boolean }[] = [];
  const errors: number[] = [];
  let foreign: string | undefined;
  for (const [position, line] of lines.entries()) {
    const current = listings.at(-1);
    const name = entry.exec(line)?.[1];
    if (line === '') continue;
    if (/^total \d/.test(line)) listings.push({ position, names: [], broken: midway.test(lines[position - 1] ?? '') });
    else if (outage.test(line)) {
      errors.push(position);
      // Its listing follows; or has come before it, the two being different streams.
      if (current?.names.length === 0 && midway.test(line)) current.broken = true;
    } else if (current !== undefined && unknownEntry.test(line)) current.broken = true;
    else if (current !== undefined && name !== undefined) current.names.push(name);
    else foreign ??= line;
  }
  const end = events.find(
    (event) =>
      event.kind === 'process' && event.role === 'program' && event.name === program && event.change === 'exited',
  );
  const exit = end?.kind === 'process' ? (end.signal ?? `status ${end.exitCode ?? 'unknown'}`) : undefined;
  return { lines: lines.length, listings, errors, foreign, exit };
}

import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

export interface NothingWrittenOptions {
  /** Names of the programs that try to write. */
  readonly writers: readonly string[];
}

/**
 * Programs that tried to change a read-only volume all the time never could. The daemon, which takes every write, saw none.
 * And unlink and rename always failed with EROFS, on the dead mount too: the kernel looks at the mount before it asks the
 * daemon, so any other errno is one that a writable mount let through. EXDEV of rename is none: the mount was replaced between
 * the kernel's two looks at the directory, and it is compared before either mount is written to.
 */
export function nothingIsWritten(history: readonly HistoryEvent[], options: NothingWrittenOptions): CheckRecord {
  return concluded({ name: 'not one write gets through', claims: ['L2'] }, judge(history, options));
}

/** Of these the kernel refuses before it looks at anything below the mount. */
const refusedFirst: Readonly<Record<string, readonly string[]>> = { unlink: ['EROFS'], rename: ['EROFS', 'EXDEV'] };

type Outcomes = Readonly<Record<string, Readonly<Record<string, number>>>>;

function judge(history: readonly HistoryEvent[], { writers }: NothingWrittenOptions): Finding {
  const output = history.filter((event) => event.kind === 'output');
  const accepted = output.find(({ program, text }) => program.endsWith('/jindofs-fuse') && eventOf(text) === 'write');
  if (accepted) return fail(`the daemon ${accepted.program} was given a write: ${accepted.text}`);
  const tries: string[] = [];
  for (const writer of writers) {
    const lines = output.filter(({ program }) => program === writer).map(({ text }) => text);
    const written = lines.find((text) => eventOf(text) === 'written');
    if (written !== undefined) return fail(`the ${writer} got through: ${written}`);
    const last = lines.findLast((text) => eventOf(text) === 'tried');
    if (last === undefined) return inconclusive(`the ${writer} said nothing`);
    const outcomes: Outcomes = JSON.parse(last).outcomes;
    for (const [call, fine] of Object.entries(refusedFirst)) {
      const other = Object.keys(outcomes[call] ?? {}).find((errno) => !fine.includes(errno));
      if (other !== undefined) return fail(`${call} by the ${writer} was let through to the daemon: it got ${other}`);
    }
    const refused = Object.values(outcomes).reduce((sum, one) => sum + (one.EROFS ?? 0), 0);
    if (refused === 0) return inconclusive(`the ${writer} was never refused: ${last}`);
    tries.push(`the ${writer} was refused ${refused} times`);
  }
  return pass(`${tries.join(', ')}, and the daemon was given no write`);
}

function eventOf(text: string): unknown {
  try {
    return JSON.parse(text).event;
  } catch {
    return undefined;
  }
}

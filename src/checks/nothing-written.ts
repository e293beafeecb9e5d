import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, pass } from './check.ts';

export interface WriteAttempts {
  /** Names of the programs that try to write. */
  readonly writers: readonly string[];
}

/** Errors of the calls that the kernel refuses before it looks at anything below the mount. */
const refusals: Readonly<Record<string, readonly string[]>> = { unlink: ['EROFS'], rename: ['EROFS', 'EXDEV'] };

type Outcomes = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Programs that constantly try to change a read-only volume never succeed, and the daemon, which receives every write, sees
 * none. Moreover unlink and rename always fail with EROFS, on the dead mount too: the kernel checks the mount before it asks
 * the daemon, so any other errno shows a writable mount. EXDEV of rename does not: the mount was replaced between the kernel's
 * two look-ups of the directory, which it compares before it writes to either mount.
 */
export const nothingIsWritten = defineCheck(
  { name: 'not one write gets through', claims: ['L2'] },
  (timeline: Timeline, { writers }: WriteAttempts) => {
    const output = timeline.ofKind('output');
    const accepted = output.find(({ program, text }) => program.endsWith('/jindofs-fuse') && eventIn(text) === 'write');
    if (accepted) return fail(`the daemon ${accepted.program} received a write: ${accepted.text}`);
    const counts: string[] = [];
    for (const writer of writers) {
      const lines = output.filter(({ program }) => program === writer).map(({ text }) => text);
      const written = lines.find((text) => eventIn(text) === 'written');
      if (written !== undefined) return fail(`the ${writer} got through: ${written}`);
      const last = lines.findLast((text) => eventIn(text) === 'tried');
      if (last === undefined) return inconclusive(`the ${writer} reported nothing`);
      const outcomes: Outcomes = JSON.parse(last).outcomes;
      for (const [call, accepted] of Object.entries(refusals)) {
        const other = Object.keys(outcomes[call] ?? {}).find((errno) => !accepted.includes(errno));
        if (other !== undefined) return fail(`${call} by the ${writer} was let through to the daemon: it got ${other}`);
      }
      const refused = Object.values(outcomes).reduce((sum, { EROFS = 0 }) => sum + EROFS, 0);
      if (refused === 0) return inconclusive(`the ${writer} was never refused: ${last}`);
      counts.push(`the ${writer} was refused ${refused} times`);
    }
    return pass(`${counts.join(', ')}, and the daemon received no write`);
  },
);

function eventIn(text: string): unknown {
  try {
    return JSON.parse(text).event;
  } catch {
    return undefined;
  }
}

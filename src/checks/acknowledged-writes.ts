import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, pass } from './check.ts';

export interface AcknowledgedWrites {
  /** Name of the program that writes, as in its `output` events. */
  readonly writer: string;
  /** Files that are there afterwards with the content that was written. */
  readonly found: readonly string[];
}

/** Each file whose fsync returned before the crash or after it is there, and was written to the volume and not beneath its mount. */
export const keepsAcknowledgedWrites = defineCheck(
  { name: 'no acknowledged write is lost, or written beneath the mount', claims: [] },
  (timeline: Timeline, { writer, found }: AcknowledgedWrites) => {
    const crash = timeline.injections[0]?.at;
    if (crash === undefined) return inconclusive('nothing crashed');
    const lines = timeline.ofKind('output').filter(({ program, stream }) => program === writer && stream === 'stdout');
    const acknowledged = lines.map(({ at, text }) => ({ at, ...parseLine(text) }));
    const before = acknowledged.filter(({ at }) => at < crash).length;
    if (before === 0) return inconclusive('no write was acknowledged before the crash');
    const beneath = acknowledged.find(({ onFuse }) => !onFuse);
    if (beneath !== undefined) return fail(`${beneath.name} was written beneath the mount`);
    const there = new Set(found);
    const lost = acknowledged.filter(({ name }) => !there.has(name));
    const [first] = lost;
    if (first !== undefined)
      return fail(`${lost.length} of ${acknowledged.length} acknowledged files are lost; first, ${first.name}`);
    return pass(`all ${acknowledged.length} acknowledged files are there, ${before} of them from before the crash`);
  },
);

const parseLine = (text: string): { readonly name: string; readonly onFuse: boolean } => JSON.parse(text);

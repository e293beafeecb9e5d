import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import type { PackedLine } from '../page/packed.ts';
import type { Place } from './lanes.ts';

const shown = 1000;

/** What programs in the pod printed, line by line with its time: the documented loop, or the user's own. */
export function transcriptOf(
  { events }: Pick<ScenarioDigest, 'events'>,
  place: Place,
): { readonly list: PackedLine[]; readonly left: number } {
  const lines = events.filter((event) => event.kind === 'output');
  const list = lines.slice(0, shown).map(
    ({ at, program, stream, text }): PackedLine => ({
      at: place(at),
      program,
      text,
      ...(stream === 'stderr' ? { error: true } : {}),
    }),
  );
  return { list, left: Math.max(0, lines.length - shown) };
}

import { describe, expect, it } from 'vitest';
import { inNamespaces } from './testing/in-namespaces.ts';

const root = process.getuid?.() === 0;

interface Seen {
  /** How often a bind that was raced against was made, and refused. */
  readonly races: { readonly bound: number; readonly refused: number };
}

describe.skipIf(!root)('a subPath (needs root)', () => {
  it('is bound if it stays in the volume and refused if it leaves it, even in a race', () => {
    const { races, ...seen } = inNamespaces<Seen>('./sub-paths.ts');
    const not = (where: string) => `refused: subpath "${where}" not within volume path "NODE/volume"`;
    expect(seen).toEqual({
      directory: 'inside',
      file: 'a file',
      through: 'inside',
      made: true,
      absolute: not('/etc'),
      relative: not('NODE/outside'),
      twice: not('NODE/outside'),
      below: not('NODE/outside'),
      upwards: not('NODE/outside'),
      again: true,
      layers: [1, 1],
      replaced: 'another',
      left: 0,
    });
    expect(races).toEqual({ bound: expect.any(Number), refused: expect.any(Number), outside: 0 });
    // Both were met, or it was no race.
    expect(races.bound).toBeGreaterThan(0);
    expect(races.refused).toBeGreaterThan(0);
    // A dozen processes one after the other, each of which has to start.
  }, 120_000);
});

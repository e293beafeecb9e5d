import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = process.getuid?.() === 0;

describe.skipIf(!root)('a subPath (needs root)', () => {
  const path = fileURLToPath(new URL('./testing/sub-paths.ts', import.meta.url));
  const flags = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const run = () => {
    const { stdout, stderr } = spawnSync('unshare', [...flags, process.execPath, path], { encoding: 'utf8' });
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`the script said: ${stdout}${stderr}`);
    }
  };

  it('is bound where it stays in the volume, refused where it leaves it, and never anything else in a race', () => {
    const { races, ...seen } = run();
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

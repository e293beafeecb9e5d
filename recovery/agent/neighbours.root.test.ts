import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, runScenario } from '../linux/fixtures/private-namespace.ts';
import { measureHungConnections } from './memory.ts';

interface Decided {
  readonly demo: readonly string[];
  readonly neighbours: readonly string[];
}

const decided = (name: string) => runScenario<Decided>('neighbours', name, { timeoutMs: 170_000 });

/** The next crash may come before a proof has ended. */
const usual = ['noticed', 'replaced', 'skipped source-not-live', 'unproven'];

describe.skipIf(!isRoot)(`a recovery beside mounts that never answer${needsRoot}`, () => {
  it('works, and nothing is decided about the mounts of other drivers', async () => {
    const { demo, neighbours } = await decided('besideDrivers');
    expect(demo).toContain('replaced');
    expect(usual).toEqual(expect.arrayContaining([...demo]));
    expect(neighbours).toEqual([]);
  }, 180_000);

  it('costs at most 64 MB if 100 connections hang', async () => {
    await measureHungConnections(100);
  }, 120_000);

  it('works, and other datasets are at most called hung', async () => {
    const { demo, neighbours } = await decided('besideDatasets');
    expect(demo).toContain('replaced');
    expect(usual).toEqual(expect.arrayContaining([...demo]));
    expect(['noticed', 'skipped hung']).toEqual(expect.arrayContaining([...neighbours]));
  }, 180_000);
});

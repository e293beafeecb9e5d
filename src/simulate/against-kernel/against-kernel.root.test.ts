import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot } from '../../../recovery/linux/fixtures/private-namespace.ts';
import { runSimulation } from '../run-simulation.ts';

const nothing = () => undefined;

describe.skipIf(!isRoot)(`the modelled kernel${needsRoot}`, () => {
  // The seeds once showed, in this order: bind mounts of unbindable mounts that were made slaves, clones of a root that is gone,
  // detached trees of another namespace, and names that a daemon no longer confirms.
  it.each(['6.5', '5.12', '5.10'] as const)(
    'has the mount tables and errors of the running one, tier %s',
    async (tier) => {
      for (const first of [2167, 100_163, 5051, 98]) {
        const result = await runSimulation({
          ...{ against: 'kernel', first, seeds: 2, steps: 40, tier, mostFailures: 1, jobs: 1 },
          ...{ onProgress: nothing, onFailure: nothing, signal: new AbortController().signal },
        });
        expect(result.failures).toEqual([]);
        expect(result.histories).toBe(2);
      }
    },
    240_000,
  );
});

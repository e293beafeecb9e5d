import { describe, expect, it } from 'vitest';
import { isRoot, needsKernel, needsRoot } from '../../../recovery/linux/fixtures/private-namespace.ts';
import { runSimulation } from '../run-simulation.ts';

const nothing = () => undefined;

describe.skipIf(!isRoot)(`the modelled kernel${needsRoot}`, () => {
  // The first two seeds once showed names below a deleted directory, and inner mounts that the node has several times.
  for (const tier of ['6.5', '5.12', '5.10'] as const)
    it.skipIf(needsKernel(tier) !== '')(
      `has the mount tables and errors of the running one, tier ${tier}${needsKernel(tier)}`,
      async () => {
        for (const first of [207_460, 207_573, 100]) {
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

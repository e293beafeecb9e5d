import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRoot, needsKernel, needsRoot } from '../../../recovery/linux/fixtures/private-namespace.ts';
import { runSimulation } from '../run-simulation.ts';

const nothing = () => undefined;

/**
 * Those that once showed: names below a deleted directory; inner mounts that the node has several times; a mount that receives its own
 * move; a name that vanishes from a detached tree; a file system that is read-only, whatever its mount; inner mounts
 * of which the node's first one is covered.
 */
const kept: readonly unknown[][] = JSON.parse(readFileSync(new URL('./kept-histories.json', import.meta.url), 'utf8'));

describe.skipIf(!isRoot)(`the modelled kernel${needsRoot}`, () => {
  for (const tier of ['6.5', '5.12', '5.10'] as const)
    it.skipIf(needsKernel(tier) !== '')(
      `has the mount tables and errors of the running one, tier ${tier}${needsKernel(tier)}`,
      async () => {
        const drawn = { first: 100, seeds: 4 };
        for (const given of [drawn, ...kept.map((history) => ({ first: 0, seeds: 1, history }))]) {
          const result = await runSimulation({
            ...{ against: 'kernel', steps: 40, tier, mostFailures: 1, jobs: 1, ...given },
            ...{ onProgress: nothing, onFailure: nothing, signal: new AbortController().signal },
          });
          expect(result.failures).toEqual([]);
          expect(result.histories).toBe(given.seeds);
        }
      },
      240_000,
    );
});

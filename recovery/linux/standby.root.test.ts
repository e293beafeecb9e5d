import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, runScenario } from './fixtures/private-namespace.ts';

const options = 'ro,nosuid,nodev,relatime';

describe.skipIf(!isRoot)(`a standby on the real kernel${needsRoot}`, () => {
  it('takes over from the daemon and gives back to the restarted one, ten containers with one read-only mount each', async () => {
    expect(await runScenario('standby', 'tenConsumers', { timeoutMs: 120_000 })).toEqual({
      shown: [[`ordinary 1 ${options}`], [`standby 1 ${options}`], [`ordinary 1 ${options}`]],
      grown: 0,
      decided: [0, 0],
    });
  }, 120_000);

  it('ends if it is unmounted, and keeps no other volume of a pod that has ended', async () => {
    expect(await runScenario('standby', 'releases', { timeoutMs: 120_000 })).toEqual({
      prepared: 3,
      left: 0,
      differs: 1,
    });
  }, 120_000);
});

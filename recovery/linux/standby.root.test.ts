import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRoot, needsKernel, needsRoot, runScenario } from './fixtures/private-namespace.ts';
import type { FailoversUnderWriters } from './fixtures/scenarios/standby.ts';

const options = 'ro,nosuid,nodev,relatime';

/** Whether an ext4 filesystem can be made on a loop device. */
const hasDisks = () =>
  existsSync('/dev/loop-control') && ['/sbin', '/usr/sbin'].some((directory) => existsSync(`${directory}/mkfs.ext4`));

describe.skipIf(!isRoot)(`a standby on the real kernel${needsRoot}`, () => {
  const tiers = [
    { tier: '6.5', depth: 1, grown: 0 },
    // Only the first failover adds a layer, at each of ten target paths.
    { tier: '5.12', depth: 2, grown: 10 },
  ] as const;
  for (const { tier, depth, grown } of tiers)
    it.skipIf(needsKernel(tier) !== '')(
      `takes over from the daemon and gives back to the restarted one, read-only in ten containers, on tier ${tier}${needsKernel(tier)}`,
      async () => {
        expect(await runScenario('standby', 'tenConsumers', { tier, timeoutMs: 120_000 })).toEqual({
          shown: [[`ordinary 1 ${options}`], [`standby ${depth} ${options}`], [`ordinary ${depth} ${options}`]],
          grown,
          decided: [0, 0],
        });
      },
      120_000,
    );

  it.skipIf(needsKernel('5.12') !== '')(
    `is writable at no moment of a failover${needsKernel('5.12')}`,
    async () => {
      const { replaced, attempts } = await runScenario<FailoversUnderWriters>('standby', 'writers', {
        input: { consumers: 3, crashes: 4 },
        timeoutMs: 120_000,
      });
      expect(replaced).toBe(12);
      expect(attempts).toMatchObject({ EROFS: expect.any(Number) });
      expect(attempts).not.toHaveProperty('WRITABLE');
    },
    120_000,
  );

  it.skipIf(needsKernel('5.12') !== '')(
    `ends if it is unmounted, and keeps no other volume of a pod that has ended${needsKernel('5.12')}`,
    async () => {
      expect(await runScenario('standby', 'releases', { timeoutMs: 120_000 })).toEqual({
        prepared: 3,
        left: 0,
        differs: 1,
      });
    },
    120_000,
  );

  const lacking =
    needsKernel('5.12') || (hasDisks() ? '' : ' (skipped: there is no /dev/loop-control or no mkfs.ext4)');
  it.skipIf(lacking !== '')(
    `frees the ext4 disks of pods that have ended, beside the volume and inside of it${lacking}`,
    async () => {
      expect(await runScenario('standby', 'freesDisks', { timeoutMs: 120_000 })).toBe(2);
    },
    120_000,
  );
});

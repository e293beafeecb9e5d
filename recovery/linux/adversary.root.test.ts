import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, runScenario } from './fixtures/private-namespace.ts';

describe.skipIf(!isRoot)(`a tenant on the real kernel${needsRoot}`, () => {
  it('receives nothing from other pods and loses nothing of its own', async () => {
    expect(await runScenario('adversary', 'attacks', { timeoutMs: 110_000 })).toEqual({
      victim: 'SECRET',
      poses: 'ENOTCONN',
      inline: 'ENOTCONN',
      escapes: 'ENOTCONN',
      covered: 'ENOTCONN',
      reasons: ['identity-conflict'],
    });
  }, 120_000);
});

import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, runScenario } from './fixtures/private-namespace.ts';

describe.skipIf(!isRoot)(`a tenant on the real kernel${needsRoot}`, () => {
  it('receives nothing of others and loses nothing of its own', async () => {
    expect(await runScenario('adversary', 'attacks')).toEqual({
      victim: 'SECRET',
      poses: 'ENOTCONN',
      inline: 'ENOTCONN',
      escapes: 'ENOTCONN',
      covered: 'ENOTCONN',
      reasons: ['identity-conflict'],
    });
  });
});

import { describe, expect, it } from 'vitest';
import { capabilities } from '../../deploy/agent-daemonset.ts';
import { isRoot, needsRoot, runScenario } from '../fixtures/private-namespace.ts';

describe.skipIf(!isRoot)(`a question to a mount${needsRoot}`, () => {
  it('is answered by statfs alone, with the sizes in blocks of the file system', async () => {
    expect(await runScenario('proof', 'answers')).toEqual({
      usage: { totalBytes: 409600, availableBytes: 245760, usedBytes: 122880, inodes: 8, freeInodes: 7 },
      // An error is an answer, too.
      withoutStatfs: 'ok',
      // The kernel answers users whom the mount does not admit by itself, alive and dead alike.
      foreign: ['read-statfs ENODATA', 'read-statfs ENODATA'],
    });
  });

  it('is answered while a listing is not', async () => {
    expect(await runScenario('proof', 'listing')).toEqual({ answer: 'ok' });
  });
});

describe.skipIf(!isRoot)(`a proof${needsRoot}`, () => {
  it('passes over files that cannot be read, names them, and never waits for virtual ones', async () => {
    expect(await runScenario('proof', 'files')).toEqual({
      good: 'ok, archived EIO, remote EREMOTE, stale ESTALE',
      none: 'read-byte EIO',
      empty: 'ok',
      directories: 'ok',
      virtual: 'ok',
      endless: 'ok',
    });
  });

  it('reads what a root container may read, with the capabilities that the agent is deployed with', async () => {
    expect(await runScenario('proof', 'rootContainer', { input: capabilities })).toEqual({
      sees: 'contents',
      proven: 'ok',
      bareSees: true,
      bare: 'read-open EACCES',
    });
  });
});

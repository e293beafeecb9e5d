import { describe, expect, it } from 'vitest';
import { capabilities } from '../../deploy/agent-daemonset.ts';
import { isRoot, needsKernel, needsRoot, runScenario } from '../fixtures/private-namespace.ts';

describe.skipIf(!isRoot)(`a proof${needsRoot}`, () => {
  it('ignores files that cannot be read, names them, and never waits for virtual ones', async () => {
    expect(await runScenario('proof', 'files')).toEqual({
      good: 'ok, archived EIO, remote EREMOTE, stale ESTALE',
      none: 'read-byte EIO',
      empty: 'ok',
      directories: 'ok',
      virtual: 'ok',
      endless: 'ok',
      zeros: 'ok',
    });
  });

  it.skipIf(needsKernel('5.12') !== '')(
    `asks no daemon of a tenant that has covered the mount, or a directory above it${needsKernel('5.12')}`,
    async () => {
      expect(await runScenario('proof', 'covered', { timeoutMs: 110_000 })).toEqual({
        mount: 'verify-device ESTALE',
        above: 'read-open EAGAIN',
        others: 'ok',
      });
    },
    120_000,
  );

  it('is refused while the processes of too many other proofs hang, and made once they have ended', async () => {
    expect(await runScenario('proof', 'hangingListings', { timeoutMs: 110_000 })).toEqual({
      hang: 12,
      refused: 2,
      beside: 'probers-hang EAGAIN',
      after: 'ok',
    });
  }, 120_000);

  it('reads what a root container may read, with the capabilities that the agent is deployed with', async () => {
    expect(await runScenario('proof', 'rootContainer', { input: capabilities })).toEqual({
      sees: 'contents',
      proven: 'ok',
      bareSees: true,
      bare: 'read-open EACCES',
    });
  });
});

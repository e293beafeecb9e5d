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

  it('shares one table of errors with the question whether a daemon answers', async () => {
    const isUnknown = (name: string) => `unknown, read-statfs ${name}, read-byte ${name}`;
    const isDead = (name: string) => `dead, read-statfs ${name}, read-byte ${name}`;
    const isOfFile = (name: string) => `unknown, read-statfs ${name}, ok, first ${name}`;
    const isAnswer = (name: string) => `live, ok, ok${name === 'ENOENT' ? '' : `, first ${name}`}`;
    const expected = {
      ENOTCONN: isDead,
      ECONNABORTED: isDead,
      EINTR: isUnknown,
      EMFILE: isUnknown,
      ENFILE: isUnknown,
      ENOMEM: isUnknown,
      ESRCH: isUnknown,
      ECHILD: isUnknown,
      EAGAIN: isOfFile,
      ECONNREFUSED: isOfFile,
      ENOENT: isAnswer,
      EACCES: isAnswer,
      EIO: isAnswer,
      ENOSYS: isAnswer,
    };
    expect(await runScenario('proof', 'errnos', { timeoutMs: 110_000 })).toEqual(
      Object.fromEntries(Object.entries(expected).map(([name, says]) => [name, says(name)])),
    );
  }, 120_000);

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

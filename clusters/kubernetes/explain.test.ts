import { ApiException } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { CannotDeploy } from '../../recovery/deploy/errors.ts';
import { CannotRun } from '../cluster.ts';
import { explain } from './explain.ts';

const server = 'https://10.0.0.1:6443';
const status = (message: string) => JSON.stringify({ kind: 'Status', message });
const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('turns an error of the cluster into a sentence with a remedy', () => {
  test.each([
    [
      'a cluster that is gone',
      new TypeError('fetch failed', { cause: refused }),
      `${server} does not answer (ECONNREFUSED)`,
    ],
    [
      'a port that nobody may ask',
      new TypeError('fetch failed', { cause: new Error('bad port') }),
      `${server} does not answer (bad port)`,
    ],
    ['old credentials', new ApiException(401, '', status('Unauthorized'), {}), `${server} rejects the credentials`],
    [
      'RBAC that forbids',
      new ApiException(403, '', status('namespaces is forbidden: User "u" cannot create resource'), {}),
      'namespaces is forbidden: User "u" cannot create resource: use a context that may do this',
    ],
    [
      'what a deployment lacks',
      new CannotDeploy('not ready after 90 s', 'look at its pods'),
      'not ready after 90 s: look',
    ],
  ])('%s', (_, error, says) => {
    const explained = explain(error, server);
    expect(explained).toBeInstanceOf(CannotRun);
    expect((explained as CannotRun).message).toContain(says);
    expect((explained as CannotRun).missing).toHaveLength(1);
  });
});

test('returns an error of ours unchanged', () => {
  const error = new TypeError('undefined is not a function');
  expect(explain(error, server)).toBe(error);
});

import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from './record.ts';
import { claimsSuccess, findSuccessClaims } from './success-claims.ts';
import { Timeline } from './timeline.ts';

const event = (object: string, message = 'reads again', reason = 'FuseRecoverSucceed') =>
  ({ kind: 'event', at: 0, type: 'Normal', reason, message, object, count: 1 }) as const;

describe('an event that claims a recovery', () => {
  it.each([
    ['on the pod itself', event('Pod default/demo-app'), 'pod'],
    ['on the dataset, naming the pod', event('Dataset default/demo', 'pod default/demo-app reads again.'), 'pod'],
    [
      'on the dataset, as Fluid words it',
      event('Dataset default/demo', 'Fuse recover /var/lib/kubelet/pods/0f2c succeed'),
      'dataset',
    ],
    ['about another pod', event('Pod default/other-app'), undefined],
    [
      'on the dataset, naming another pod',
      event('Dataset default/demo', 'pod default/other-app reads again'),
      undefined,
    ],
    ['in another namespace', event('Pod elsewhere/demo-app'), undefined],
    ['of another reason', event('Pod default/demo-app', 'reads again', 'FuseRecoverFailed'), undefined],
  ])('%s', (_, posted, about) => {
    expect(claimsSuccess(posted, 'default/demo-app')).toBe(about);
  });
});

it('the agent’s report is a claim about its container and path only', () => {
  const report = (where: string, path: string): HistoryEvent =>
    ({ kind: 'agent', at: 1, event: 'recovered', where, path, line: {} }) as HistoryEvent;
  const consumer = { namespace: 'default', pod: 'demo-app', container: 'demo', path: '/data' };
  const claims = (event: HistoryEvent) => findSuccessClaims(new Timeline([event]), consumer).length;
  expect(claims(report('default/demo-app/demo', '/data'))).toBe(1);
  expect(claims(report('default/demo-app/demo', '/data-2'))).toBe(0);
  expect(claims(report('default/demo-app/other', '/data'))).toBe(0);
});

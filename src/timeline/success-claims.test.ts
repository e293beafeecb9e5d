import { describe, expect, it } from 'vitest';
import { claimsSuccess } from './success-claims.ts';

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

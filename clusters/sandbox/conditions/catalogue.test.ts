import { describe, expect, it } from 'vitest';
import { combineDifferences, conditions, conditionsNamed, findCondition } from './catalogue.ts';

it.each([...conditions.values()])(
  '$name says in one sentence what it imitates, and where it was reported',
  (condition) => {
    const { name, title, reports } = condition;
    expect(name).toMatch(/^[a-z]+(-[a-z0-9]+)+$/);
    expect(title).toMatch(/^[^\n]{20,140}[^.]$/);
    for (const report of reports) expect(report).toMatch(/^[a-z0-9-]+#\d+$/);
  },
);

it.each([
  ['kubelet-root', { kubeletRoot: '/data/kubelet' }],
  ['kubelet-root=/srv/k8s/kubelet', { kubeletRoot: '/srv/k8s/kubelet' }],
  ['kubelet-root=', undefined],
  ['kubelet-root=kubelet', undefined],
  ['kubelet-root=/var/run/kubelet', undefined],
  ['kubelet-root-symlink', { hasKubeletLink: true }],
  ['kubelet-root-symlink=/x', undefined],
  ['moonlight', undefined],
])('a condition written as %s has the differences %j', (text, differences) => {
  expect(findCondition(text)?.differences).toEqual(differences);
});

describe('the differences of several conditions', () => {
  it('are none without conditions', () => {
    expect(combineDifferences([])).toEqual({});
  });

  it('all apply, also to one daemon', () => {
    const names = ['slow-listing', 'unreadable-file', 'no-kubelet-process', 'hung-neighbours'];
    expect(combineDifferences(conditionsNamed(names))).toEqual({
      kubeletProcess: 'none',
      daemon: { delayMs: { readdir: 3000 }, parallelListing: true, unreadable: '.archived' },
      probeReadsOnly: true,
    });
  });
});

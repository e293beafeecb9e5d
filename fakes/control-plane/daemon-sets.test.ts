import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { placeDaemons } from './daemon-sets.ts';

const set: V1DaemonSet = {
  metadata: { name: 'fuse', namespace: 'default', uid: 'set' },
  spec: {
    selector: {},
    template: { metadata: { labels: { role: 'fuse' } }, spec: { containers: [], nodeSelector: { place: 'true' } } },
  },
};
const node = (name: string, place?: string): V1Node => ({ metadata: { name, labels: place ? { place } : {} } });
const pod = (nodeName: string, change: Partial<V1Pod> = {}): V1Pod => ({
  metadata: {
    name: `on-${nodeName}`,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'fuse', uid: 'set' }],
  },
  spec: { nodeName, containers: [] },
  ...change,
});

const placed = (nodes: readonly V1Node[], pods: readonly V1Pod[], given = set) => {
  const { create, remove } = placeDaemons(given, nodes, pods);
  return [create.map(({ spec }) => spec?.nodeName), remove.map(({ metadata }) => metadata?.name)];
};
const leaving = (nodeName: string) =>
  pod(nodeName, { metadata: { ...pod(nodeName).metadata, deletionTimestamp: new Date(0) } });

it.each<[string, readonly V1Node[], readonly V1Pod[], readonly string[], readonly string[]]>([
  ['a pod on each node that is selected', [node('a', 'true'), node('b'), node('c', 'true')], [], ['a', 'c'], []],
  ['no pod on another value of the label', [node('a', 'false')], [], [], []],
  ['no second pod', [node('a', 'true')], [pod('a')], [], []],
  ['a pod beside a stranger', [node('a', 'true')], [pod('a', { metadata: { name: 'x' } })], ['a'], []],
  ['no pod until the former one is gone', [node('a', 'true')], [leaving('a')], [], []],
  ['no pod that has ended', [node('a', 'true')], [pod('a', { status: { phase: 'Failed' } })], [], ['on-a']],
  ['no pod on a node that is not selected any more', [node('a')], [pod('a')], [], ['on-a']],
])('has %s', (_, nodes, pods, create, remove) => {
  expect(placed(nodes, pods)).toEqual([create, remove]);
});

it('has no pods without a node selector, or while it is deleted', () => {
  const nodes = [node('a', 'true')];
  const everywhere = { ...set, spec: { selector: {}, template: { spec: { containers: [] } } } };
  expect(placed(nodes, [], everywhere)).toEqual([[], []]);
  expect(placed(nodes, [], { ...set, metadata: { ...set.metadata, deletionTimestamp: new Date(0) } })).toEqual([
    [],
    [],
  ]);
});

it('owns its pods, which have the labels of the template', () => {
  const [made] = placeDaemons(set, [node('a', 'true')], []).create;
  expect(made?.metadata).toMatchObject({
    generateName: 'fuse-',
    labels: { role: 'fuse' },
    ownerReferences: [{ uid: 'set', controller: true }],
  });
});

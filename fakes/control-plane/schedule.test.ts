import type { V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { place } from './schedule.ts';

const node = (name: string, ready = 'True', extra: Partial<V1Node> = {}): V1Node => ({
  metadata: { name, labels: { zone: name } },
  status: { conditions: [{ type: 'Ready', status: ready }] },
  ...extra,
});
const pod = (extra: Partial<NonNullable<V1Pod['spec']>> = {}): V1Pod => ({ spec: { containers: [], ...extra } });
const using: V1Pod = pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] });
const claims = (phase?: string): ReadonlyMap<string, V1PersistentVolumeClaim> =>
  new Map(phase === undefined ? [] : [['data', { status: { phase } }]]);

describe('the scheduler', () => {
  it.each<[string, V1Pod, readonly V1Node[], string]>([
    ['the first ready node', pod(), [node('b'), node('a', 'False'), node('c')], 'b'],
    ['the node of its selector', pod({ nodeSelector: { zone: 'c' } }), [node('b'), node('c')], 'c'],
    ['no cordoned node', pod(), [node('a', 'True', { spec: { unschedulable: true } }), node('b')], 'b'],
  ])('gives a pod %s', (_what, given, nodes, bind) => {
    expect(place(given, nodes, claims())).toEqual({ bind });
  });

  it('gives a virtual node to the pods that ask for one, and to no others', () => {
    const nodes = [node('a', 'True', { metadata: { name: 'a', labels: { type: 'virtual-kubelet' } } }), node('b')];
    const asking: V1Pod = { ...pod(), metadata: { annotations: { 'alibabacloud.com/burst-resource': 'eci_only' } } };
    expect(place(asking, nodes, claims())).toEqual({ bind: 'a' });
    expect(place(pod(), nodes, claims())).toEqual({ bind: 'b' });
    expect(place(asking, [node('b')], claims())).toEqual({ wait: expect.stringContaining('0/1 nodes are available') });
  });

  it.each<[string, V1Pod, readonly V1Node[], string | undefined, string]>([
    ['there is no node', pod(), [], undefined, 'no nodes available to schedule pods'],
    ['its claim is missing', using, [node('a')], undefined, 'persistentvolumeclaim "data" not found'],
    ['its claim is not bound', using, [node('a')], 'Pending', 'pod has unbound immediate PersistentVolumeClaims'],
    ['no node is ready', pod(), [node('a', 'False')], undefined, '0/1 nodes are available'],
  ])('lets a pod wait while %s', (_what, given, nodes, phase, message) => {
    expect(place(given, nodes, claims(phase))).toEqual({ wait: expect.stringContaining(message) });
  });

  it('gives a pod a node once its claim is bound', () => {
    expect(place(using, [node('a')], claims('Bound'))).toEqual({ bind: 'a' });
  });

  it.each<[string, V1Pod]>([
    ['has a node', pod({ nodeName: 'a' })],
    ['has ended', { ...pod(), status: { phase: 'Failed' } }],
    ['goes', { ...pod(), metadata: { deletionTimestamp: new Date(0) } }],
    ['is for another scheduler', pod({ schedulerName: 'mine' })],
  ])('leaves a pod alone that %s', (_what, given) => {
    expect(place(given, [node('a')], claims())).toBe('leave');
  });
});

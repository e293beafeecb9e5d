import type { V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { schedule } from './scheduler.ts';

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
    ['a node that is not cordoned', pod(), [node('a', 'True', { spec: { unschedulable: true } }), node('b')], 'b'],
  ])('assigns a pod %s', (_what, given, nodes, bindTo) => {
    expect(schedule(given, nodes, claims())).toEqual({ bindTo });
  });

  it('assigns a virtual node to pods that ask for one, and to no others', () => {
    const nodes = [node('a', 'True', { metadata: { name: 'a', labels: { type: 'virtual-kubelet' } } }), node('b')];
    const asking: V1Pod = { ...pod(), metadata: { annotations: { 'alibabacloud.com/burst-resource': 'eci_only' } } };
    expect(schedule(asking, nodes, claims())).toEqual({ bindTo: 'a' });
    expect(schedule(pod(), nodes, claims())).toEqual({ bindTo: 'b' });
    expect(schedule(asking, [node('b')], claims())).toEqual({
      unschedulable: expect.stringContaining('0/1 nodes are available'),
    });
  });

  it.each<[string, V1Pod, readonly V1Node[], string | undefined, string]>([
    ['there is no node', pod(), [], undefined, 'no nodes available to schedule pods'],
    ['its claim is missing', using, [node('a')], undefined, 'persistentvolumeclaim "data" not found'],
    ['its claim is not bound', using, [node('a')], 'Pending', 'pod has unbound immediate PersistentVolumeClaims'],
    ['no node is ready', pod(), [node('a', 'False')], undefined, '0/1 nodes are available'],
  ])('keeps a pod waiting while %s', (_what, given, nodes, phase, message) => {
    expect(schedule(given, nodes, claims(phase))).toEqual({ unschedulable: expect.stringContaining(message) });
  });

  it("assigns a node once the pod's claim is bound", () => {
    expect(schedule(using, [node('a')], claims('Bound'))).toEqual({ bindTo: 'a' });
  });

  it.each<[string, V1Pod]>([
    ['has a node', pod({ nodeName: 'a' })],
    ['has ended', { ...pod(), status: { phase: 'Failed' } }],
    ['is being deleted', { ...pod(), metadata: { deletionTimestamp: new Date(0) } }],
    ['is for another scheduler', pod({ schedulerName: 'mine' })],
  ])('ignores a pod that %s', (_what, given) => {
    expect(schedule(given, [node('a')], claims())).toBe('ignore');
  });
});

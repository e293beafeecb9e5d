import type { KubernetesObject } from '@kubernetes/client-node';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rig } from './testing/test-rig.ts';
import { pod, refusal, start } from './testing/test-rig.ts';

describe('the fake API server', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  describe('patches', () => {
    const target = { name: 'a', namespace: 'default' };
    beforeEach(async () => {
      const labels = { keep: '1', drop: '1' };
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a', { metadata: { name: 'a', labels } }) });
    });

    it('merge objects and remove keys that are null', async () => {
      const patched = await rig.core.patchNamespacedPod(
        { ...target, body: { metadata: { labels: { drop: null, more: '2' } } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      expect(patched.metadata?.labels).toEqual({ keep: '1', more: '2' });
    });

    it('apply JSON patch operations in order, and none if a test fails', async () => {
      const replace = { op: 'replace', path: '/metadata/labels/keep', value: '2' };
      const patched = await rig.core.patchNamespacedPod({
        ...target,
        body: [replace, { op: 'add', path: '/metadata/annotations', value: { 'a.b/c': 'd' } }],
      });
      expect(patched.metadata).toMatchObject({ labels: { keep: '2' }, annotations: { 'a.b/c': 'd' } });
      const escaped = await rig.core.patchNamespacedPod({
        ...target,
        body: [{ op: 'remove', path: '/metadata/annotations/a.b~1c' }],
      });
      expect(escaped.metadata?.annotations).toEqual({});
      const failing = [
        { ...replace, value: '3' },
        { op: 'test', path: '/metadata/labels/drop', value: 'no' },
      ];
      expect((await refusal(rig.core.patchNamespacedPod({ ...target, body: failing }))).code).toBe(422);
      expect((await rig.core.readNamespacedPod(target)).metadata?.labels?.keep).toBe('2');
    });

    it('merge conditions by type if they are strategic', async () => {
      const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
      const patch = (type: string, status: string) =>
        rig.core.patchNamespacedPodStatus(
          { ...target, body: { status: { conditions: [{ type, status }] } } },
          strategic,
        );
      await patch('PodScheduled', 'False');
      await patch('Ready', 'False');
      const patched = await patch('PodScheduled', 'True');
      expect(patched.status?.conditions).toEqual([
        expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
        expect.objectContaining({ type: 'Ready', status: 'False' }),
      ]);
    });

    it('are refused with 415 if they are strategic and the kind is custom', async () => {
      const dataset = {
        apiVersion: 'data.fluid.io/v1alpha1',
        kind: 'Dataset',
        metadata: { name: 'd', namespace: 'default' },
      };
      await rig.objects.create(dataset);
      expect(await refusal(rig.objects.patch(dataset))).toMatchObject({ code: 415 });
    });

    it('by server-side apply create a missing object and change an existing one', async () => {
      const apply = (data: Record<string, string>) =>
        rig.objects.patch(
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'c', namespace: 'default' },
            data,
          } as KubernetesObject,
          undefined,
          undefined,
          'test',
          true,
          PatchStrategy.ServerSideApply,
        );
      await apply({ a: '1' });
      expect(await apply({ b: '2' })).toMatchObject({ data: { b: '2' } });
    });
  });
});

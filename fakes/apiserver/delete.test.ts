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

  describe('deletes', () => {
    const target = { name: 'a', namespace: 'default' };
    const onNode = { nodeName: 'n1', containers: [{ name: 'main', image: 'nginx' }] };

    it('remove a pod without a node at once', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      await rig.core.deleteNamespacedPod(target);
      expect(await refusal(rig.core.readNamespacedPod(target))).toMatchObject({ code: 404 });
    });

    it('wait for the kubelet of a pod on a node, with the requested grace period', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a', { spec: onNode }) });
      const going = await rig.core.deleteNamespacedPod({ ...target, gracePeriodSeconds: 7 });
      expect(going.metadata?.deletionTimestamp).toBeInstanceOf(Date);
      expect(going.metadata?.deletionGracePeriodSeconds).toBe(7);
      const longer = await rig.core.deleteNamespacedPod({ ...target, gracePeriodSeconds: 60 });
      expect(longer.metadata?.deletionGracePeriodSeconds).toBe(7);
      await rig.core.deleteNamespacedPod({ ...target, gracePeriodSeconds: 0 });
      expect(await refusal(rig.core.readNamespacedPod(target))).toMatchObject({ code: 404 });
    });

    it('wait until the last finalizer is removed', async () => {
      const finalizers = ['rekindle.dev/test'];
      await rig.core.createNamespacedPod({
        namespace: 'default',
        body: pod('a', { metadata: { name: 'a', finalizers } }),
      });
      await rig.core.deleteNamespacedPod(target);
      expect((await rig.core.readNamespacedPod(target)).metadata?.deletionTimestamp).toBeDefined();
      await rig.core.patchNamespacedPod(
        { ...target, body: { metadata: { finalizers: null } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      expect(await refusal(rig.core.readNamespacedPod(target))).toMatchObject({ code: 404 });
    });

    it('with another uid as the precondition are a conflict', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      const call = rig.core.deleteNamespacedPod({ ...target, body: { preconditions: { uid: 'other' } } });
      expect(await refusal(call)).toMatchObject({ code: 409 });
    });

    it('of a collection remove what the selector matches', async () => {
      await rig.core.createNamespacedPod({
        namespace: 'default',
        body: pod('a', { metadata: { name: 'a', labels: { x: '1' } } }),
      });
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('b') });
      await rig.core.deleteCollectionNamespacedPod({ namespace: 'default', labelSelector: 'x' });
      const { items } = await rig.core.listNamespacedPod({ namespace: 'default' });
      expect(items.map(({ metadata }) => metadata?.name)).toEqual(['b']);
    });

    it('of a namespace remove its objects, admit no new ones, and wait for the last pod', async () => {
      const namespace = 'run';
      await rig.core.createNamespace({ body: { metadata: { name: namespace } } });
      await rig.core.createNamespacedSecret({ namespace, body: { metadata: { name: 's' } } });
      await rig.core.createNamespacedPod({
        namespace,
        body: { metadata: { name: 'a' }, spec: onNode },
      });
      await rig.core.deleteNamespace({ name: namespace });
      expect((await rig.core.readNamespace({ name: namespace })).status?.phase).toBe('Terminating');
      expect((await rig.core.listNamespacedSecret({ namespace })).items).toHaveLength(0);
      const late = rig.core.createNamespacedSecret({ namespace, body: { metadata: { name: 't' } } });
      expect(await refusal(late)).toMatchObject({ code: 403, reason: 'Forbidden' });
      await rig.core.deleteNamespacedPod({ name: 'a', namespace, gracePeriodSeconds: 0 });
      expect(await refusal(rig.core.readNamespace({ name: namespace }))).toMatchObject({ code: 404 });
    });

    it('of an owner remove what it owned', async () => {
      const owner = await rig.core.createNamespacedConfigMap({
        namespace: 'default',
        body: { metadata: { name: 'o' } },
      });
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: owner.metadata?.uid ?? '' }];
      await rig.core.createNamespacedPod({
        namespace: 'default',
        body: pod('a', { metadata: { name: 'a', ownerReferences } }),
      });
      await rig.core.deleteNamespacedConfigMap({ name: 'o', namespace: 'default' });
      expect(await refusal(rig.core.readNamespacedPod(target))).toMatchObject({ code: 404 });
    });
  });
});

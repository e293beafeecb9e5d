import type { V1Pod } from '@kubernetes/client-node';
import { makeInformer, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rig } from './testing/test-rig.ts';
import { openWatch, pod, start } from './testing/test-rig.ts';

describe('the fake API server', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  describe('watches', () => {
    const path = '/api/v1/namespaces/default/pods';

    it('start after the version of a list and miss nothing', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('old') });
      const { metadata } = await rig.core.listNamespacedPod({ namespace: 'default' });
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('between') });
      using watch = await openWatch(rig.config, path, { resourceVersion: metadata?.resourceVersion ?? '' });
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('after') });
      await rig.core.deleteNamespacedPod({ name: 'old', namespace: 'default' });
      const seen = [await watch.next(), await watch.next(), await watch.next()];
      expect(seen.map(({ type, object }) => [type, object.metadata?.name])).toEqual([
        ['ADDED', 'between'],
        ['ADDED', 'after'],
        ['DELETED', 'old'],
      ]);
      const versions = seen.map(({ object }) => Number(object.metadata?.resourceVersion));
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
    });

    it('start with the existing objects if no version is given', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('old') });
      using watch = await openWatch(rig.config, path, {});
      expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'old' } } });
    });

    it('with a selector see an object appear and disappear', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      using watch = await openWatch(rig.config, path, { labelSelector: 'x=1' });
      const label = (x: string | null) =>
        rig.core.patchNamespacedPod(
          { name: 'a', namespace: 'default', body: { metadata: { labels: { x } } } },
          setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
        );
      await label('1');
      await label(null);
      expect([(await watch.next()).type, (await watch.next()).type]).toEqual(['ADDED', 'DELETED']);
    });

    it('end after their timeout', async () => {
      using watch = await openWatch(rig.config, path, { timeoutSeconds: 0 });
      await watch.ended;
    });

    it('end with a 410 if the version is too old or does not exist yet', async () => {
      await using small = await start({ historyLength: 2 });
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
        await small.core.createNamespacedPod({ namespace: 'default', body: pod(name) });
      }
      using watch = await openWatch(small.config, path, { resourceVersion: '1' });
      expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410 } });
      await watch.ended;
      using future = await openWatch(small.config, path, { resourceVersion: '100000' });
      expect(await future.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    });

    it('send a bookmark with the version at the end of the initial events', async () => {
      using watch = await openWatch(rig.config, path, { sendInitialEvents: true, allowWatchBookmarks: true });
      expect(await watch.next()).toMatchObject({
        type: 'BOOKMARK',
        object: { kind: 'Pod', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      });
    });

    it('keep an informer up to date', async () => {
      const changes: string[] = [];
      let wake = (): void => {};
      const informer = makeInformer<V1Pod>(rig.config, '/api/v1/pods', () => rig.core.listPodForAllNamespaces());
      const note = (verb: string) => (object: V1Pod) => {
        changes.push(`${verb} ${object.metadata?.name}`);
        wake();
      };
      informer.on('add', note('add'));
      informer.on('update', note('update'));
      informer.on('delete', note('delete'));
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      await informer.start();
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('b') });
      await rig.core.createNamespacedPodBinding({
        name: 'b',
        namespace: 'default',
        body: { target: { kind: 'Node', name: 'n1' } },
      });
      await rig.core.deleteNamespacedPod({ name: 'a', namespace: 'default' });
      while (changes.length < 4) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      expect(changes).toEqual(['add a', 'add b', 'update b', 'delete a']);
      expect(informer.list().map(({ spec }) => spec?.nodeName)).toEqual(['n1']);
      await informer.stop();
    });
  });
});

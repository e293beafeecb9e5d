import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rig } from './testing/test-rig.ts';
import { pod, refusal, start } from './testing/test-rig.ts';

describe('the fake API server', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  describe('lists', () => {
    beforeEach(async () => {
      const make = (name: string, nodeName: string, labels: Record<string, string>) =>
        rig.core.createNamespacedPod({
          namespace: 'default',
          body: pod(name, { metadata: { name, labels }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }] } }),
        });
      await make('a', 'n1', { role: 'jindofs-fuse', release: 'demo-dataset' });
      await make('b', 'n2', { role: 'jindofs-fuse', release: 'other' });
      await make('c', 'n1', {});
    });

    it.each([
      ['role=jindofs-fuse,release=demo-dataset', undefined, ['a']],
      ['role in (jindofs-fuse),release notin (other)', undefined, ['a']],
      ['!role', undefined, ['c']],
      ['release!=other', undefined, ['a', 'c']],
      [undefined, 'spec.nodeName=n1', ['a', 'c']],
      ['role', 'spec.nodeName!=n1,status.phase=Pending', ['b']],
      [undefined, 'metadata.name=c,metadata.namespace=default', ['c']],
    ])('select by labels %s and fields %s', async (labelSelector, fieldSelector, names) => {
      const { items } = await rig.core.listPodForAllNamespaces({
        ...(labelSelector ? { labelSelector } : {}),
        ...(fieldSelector ? { fieldSelector } : {}),
      });
      expect(items.map(({ metadata }) => metadata?.name)).toEqual(names);
    });

    it('refuse an unsupported field and an invalid selector', async () => {
      const field = rig.core.listNamespacedPod({ namespace: 'default', fieldSelector: 'spec.image=x' });
      expect(await refusal(field)).toMatchObject({ code: 400, message: 'field label not supported: spec.image' });
      const label = rig.core.listNamespacedPod({ namespace: 'default', labelSelector: 'a==b==c' });
      expect(await refusal(label)).toMatchObject({ code: 400 });
    });

    it('select events by their involved object', async () => {
      const about = (name: string) =>
        rig.core.createNamespacedEvent({
          namespace: 'default',
          body: { metadata: { generateName: 'e.' }, involvedObject: { kind: 'Pod', name }, reason: 'R' },
        });
      await about('a');
      await about('b');
      const { items } = await rig.core.listNamespacedEvent({
        namespace: 'default',
        fieldSelector: 'involvedObject.kind=Pod,involvedObject.name=b',
      });
      expect(items.map(({ involvedObject }) => involvedObject.name)).toEqual(['b']);
    });
  });
});

import type { V1Pod } from '@kubernetes/client-node';
import { CoreV1Api, CustomObjectsApi, KubeConfig, PatchStrategy, VersionApi } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serverVersion } from './api-server.ts';
import type { Rig } from './test-rig.ts';
import { openWatch, pod, refusal, start, token } from './test-rig.ts';

describe('the fake API server, through the real client', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  it('says its version, and that it is a fake', async () => {
    expect((await rig.config.makeApiClient(VersionApi).getCode()).gitVersion).toBe(serverVersion);
  });

  it('refuses a request without the token with 401', async () => {
    const stranger = new KubeConfig();
    stranger.loadFromClusterAndUser(
      { name: 'c', server: rig.server.url, skipTLSVerify: true },
      { name: 'u', token: 'wrong' },
    );
    const call = stranger.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'default' });
    expect(await refusal(call)).toMatchObject({ code: 401 });
  });

  it('takes the token as a bearer token at the plain address', async () => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server: rig.server.url, skipTLSVerify: true }, { name: 'u', token });
    expect((await config.makeApiClient(CoreV1Api).listNamespace()).items).toHaveLength(2);
  });

  describe('objects', () => {
    it('are created with uid, time, version and generation, and read back', async () => {
      const made = await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      expect(made.metadata).toMatchObject({ name: 'a', namespace: 'default', generation: 1 });
      expect(made.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
      expect(made.status?.phase).toBe('Pending');
      expect(await rig.core.readNamespacedPod({ name: 'a', namespace: 'default' })).toEqual(made);
    });

    it('get a generated name of five characters, each another one', async () => {
      const body = (): V1Pod => ({ ...pod(''), metadata: { generateName: 'fuse-' } });
      const [a, b] = await Promise.all([
        rig.core.createNamespacedPod({ namespace: 'default', body: body() }),
        rig.core.createNamespacedPod({ namespace: 'default', body: body() }),
      ]);
      expect(a.metadata?.name).toMatch(/^fuse-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(a.metadata?.name).not.toBe(b.metadata?.name);
    });

    it('are found by KubernetesObjectApi, built in or custom', async () => {
      const dataset = {
        apiVersion: 'data.fluid.io/v1alpha1',
        kind: 'Dataset',
        metadata: { name: 'd', namespace: 'default' },
        spec: { mounts: [] },
      };
      await rig.objects.create(dataset);
      await rig.objects.create(pod('a'));
      const found = await rig.objects.read({
        apiVersion: 'data.fluid.io/v1alpha1',
        kind: 'Dataset',
        metadata: { name: 'd', namespace: 'default' },
      });
      expect(found).toMatchObject({ spec: { mounts: [] }, metadata: { generation: 1 } });
      const list = await rig.objects.list('data.fluid.io/v1alpha1', 'Dataset');
      expect(list.items).toHaveLength(1);
      const patched = await rig.objects.patch(
        { ...found, metadata: { name: 'd', namespace: 'default', labels: { a: 'b' } } },
        undefined,
        undefined,
        undefined,
        undefined,
        PatchStrategy.MergePatch,
      );
      expect(patched.metadata?.labels).toEqual({ a: 'b' });
      await rig.objects.replace({ ...patched, metadata: { ...patched.metadata, labels: { a: 'c' } } });
      await rig.objects.delete(found);
      expect((await rig.objects.list('data.fluid.io/v1alpha1', 'Dataset')).items).toHaveLength(0);
    });

    it('that are there already, or not there, are refused with the reason', async () => {
      await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      const again = rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      expect(await refusal(again)).toEqual({ code: 409, reason: 'AlreadyExists', message: 'pods "a" already exists' });
      const missing = rig.core.readNamespacedPod({ name: 'b', namespace: 'default' });
      expect(await refusal(missing)).toEqual({ code: 404, reason: 'NotFound', message: 'pods "b" not found' });
      const nowhere = rig.core.createNamespacedPod({
        namespace: 'nowhere',
        body: { ...pod('a'), metadata: { name: 'a' } },
      });
      expect(await refusal(nowhere)).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
    });

    it.each([
      ['Upper', 'metadata.name'],
      ['-a', 'metadata.name'],
      ['a_b', 'metadata.name'],
      ['a'.repeat(254), 'metadata.name'],
    ])('called %s are refused with 422 and the field', async (name, field) => {
      const call = rig.core.createNamespacedPod({ namespace: 'default', body: pod(name) });
      const { code, reason, message } = await refusal(call);
      expect({ code, reason }).toEqual({ code: 422, reason: 'Invalid' });
      expect(message).toContain(field);
    });

    it('without what they need are refused with every field that is missing', async () => {
      const body = { metadata: { name: 'a' }, spec: { containers: [{ name: 'main' }], volumes: [{}] } } as V1Pod;
      const { code, message } = await refusal(rig.core.createNamespacedPod({ namespace: 'default', body }));
      expect(code).toBe(422);
      expect(message).toContain('spec.containers[0].image: Required value');
      expect(message).toContain('spec.volumes[0].name: Required value');
    });

    it('with secrets in stringData keep them in base64', async () => {
      const body = { metadata: { name: 's' }, stringData: { 'fs.oss.accessKeyId': 'id' } };
      const secret = await rig.core.createNamespacedSecret({ namespace: 'default', body });
      expect(secret.data).toEqual({ 'fs.oss.accessKeyId': Buffer.from('id').toString('base64') });
      expect(secret.stringData).toBeUndefined();
    });
  });

  describe('updates', () => {
    it('of a version that is not the latest are a conflict', async () => {
      const made = await rig.core.createNamespacedConfigMap({
        namespace: 'default',
        body: { metadata: { name: 'c' }, data: { a: '1' } },
      });
      const target = { name: 'c', namespace: 'default' };
      await rig.core.replaceNamespacedConfigMap({ ...target, body: { ...made, data: { a: '2' } } });
      const late = rig.core.replaceNamespacedConfigMap({ ...target, body: { ...made, data: { a: '3' } } });
      expect(await refusal(late)).toMatchObject({ code: 409, reason: 'Conflict' });
      expect((await rig.core.readNamespacedConfigMap(target)).data).toEqual({ a: '2' });
    });

    it('that change nothing keep the version', async () => {
      const made = await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      const same = await rig.core.replaceNamespacedPod({ name: 'a', namespace: 'default', body: made });
      expect(same.metadata?.resourceVersion).toBe(made.metadata?.resourceVersion);
    });

    it('of /status leave the spec alone, and updates of the spec leave the status alone', async () => {
      const custom = rig.config.makeApiClient(CustomObjectsApi);
      const place = { group: 'data.fluid.io', version: 'v1alpha1', namespace: 'default', plural: 'datasets' };
      const metadata = { name: 'd', namespace: 'default' };
      const made = await custom.createNamespacedCustomObject({
        ...place,
        body: { metadata, spec: { a: 1 }, status: { phase: 'no' } },
      });
      expect(made.status).toBeUndefined();
      const body = { ...made, spec: { a: 2 }, status: { phase: 'Bound' } };
      const marked = await custom.replaceNamespacedCustomObjectStatus({ ...place, name: 'd', body });
      expect(marked).toMatchObject({ spec: { a: 1 }, status: { phase: 'Bound' }, metadata: { generation: 1 } });
      const changed = await custom.replaceNamespacedCustomObject({
        ...place,
        name: 'd',
        body: { ...marked, spec: { a: 3 }, status: { phase: 'Failed' } },
      });
      expect(changed).toMatchObject({ spec: { a: 3 }, status: { phase: 'Bound' }, metadata: { generation: 2 } });
    });

    it('of a pod may change its image and not its volumes', async () => {
      const made = await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      const target = { name: 'a', namespace: 'default' };
      const image = { ...made, spec: { ...made.spec, containers: [{ name: 'main', image: 'nginx:2' }] } };
      const changed = await rig.core.replaceNamespacedPod({ ...target, body: image });
      expect(changed.metadata?.generation).toBe(2);
      const volumes = { ...changed, spec: { ...image.spec, volumes: [{ name: 'v', emptyDir: {} }] } };
      expect(await refusal(rig.core.replaceNamespacedPod({ ...target, body: volumes }))).toMatchObject({ code: 422 });
    });
  });

  it('asks its admission hooks on create: they change or refuse', async () => {
    await using strict = await start({
      admit: [
        (object) => (object.metadata.name === 'bad' ? { denied: 'not this one' } : object),
        async (object) => ({ ...object, metadata: { ...object.metadata, labels: { seen: 'yes' } } }),
      ],
    });
    const made = await strict.core.createNamespacedPod({ namespace: 'default', body: pod('good') });
    expect(made.metadata?.labels).toEqual({ seen: 'yes' });
    const denied = strict.core.createNamespacedPod({ namespace: 'default', body: pod('bad') });
    expect(await refusal(denied)).toMatchObject({ code: 403, message: expect.stringContaining('not this one') });
  });

  it('closes when its signal is aborted', async () => {
    const abort = new AbortController();
    await using other = await start({ signal: abort.signal });
    using watch = await openWatch(other.config, '/api/v1/pods', {});
    abort.abort();
    await watch.ended;
  });
});

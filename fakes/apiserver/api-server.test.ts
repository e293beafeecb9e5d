import type { V1Pod } from '@kubernetes/client-node';
import { CoreV1Api, CustomObjectsApi, PatchStrategy, VersionApi } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serverVersion } from './api-server.ts';
import { createAuthority } from './authority.ts';
import { administrator } from './rbac.ts';
import type { Rig } from './testing/test-rig.ts';
import { openWatch, pod, refusal, sendRaw, start, withToken } from './testing/test-rig.ts';

describe('the fake API server, through the real client', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  it('reports a version that shows that it is a fake', async () => {
    expect((await rig.config.makeApiClient(VersionApi).getCode()).gitVersion).toBe(serverVersion);
  });

  it('refuses a request with a wrong token with 401', async () => {
    const call = withToken(rig.config, 'wrong').makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'default' });
    expect(await refusal(call)).toMatchObject({ code: 401 });
  });

  it('refuses a request without credentials with 401, but reports its health and version', async () => {
    const stranger = withToken(rig.config, '');
    expect((await sendRaw(stranger, { method: 'GET', path: '/api/v1/namespaces' })).code).toBe(401);
    for (const path of ['/healthz', '/livez', '/readyz', '/version'])
      expect((await sendRaw(stranger, { method: 'GET', path })).code).toBe(200);
  });

  it('refuses a client certificate of another authority with 401', async () => {
    const { key, certificate } = await (await createAuthority(new Date())).issueClient(administrator);
    const base64 = (pem: string) => Buffer.from(pem).toString('base64');
    const stranger = withToken(rig.config, '');
    stranger.users = [{ name: 'u', certData: base64(certificate), keyData: base64(key) }];
    expect((await sendRaw(stranger, { method: 'GET', path: '/api/v1/namespaces' })).code).toBe(401);
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

    it('get generated names that end in five characters and differ', async () => {
      const body = (): V1Pod => ({ ...pod(''), metadata: { generateName: 'fuse-' } });
      const [a, b] = await Promise.all([
        rig.core.createNamespacedPod({ namespace: 'default', body: body() }),
        rig.core.createNamespacedPod({ namespace: 'default', body: body() }),
      ]);
      expect(a.metadata?.name).toMatch(/^fuse-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(a.metadata?.name).not.toBe(b.metadata?.name);
    });

    it('are found by KubernetesObjectApi, both built-in and custom ones', async () => {
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

    it('are refused with the reason if they exist already or do not exist', async () => {
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

    it.each([
      ['default', 'default', true],
      ['default', undefined, true],
      ['default', 'kube-system', false],
      ['kube-system', 'default', false],
      ['kube-system', undefined, false],
    ])(
      'of kind Event in namespace %s may involve an object of namespace %s: %s',
      async (namespace, involved, accepted) => {
        const involvedObject = { kind: 'Pod', name: 'a', ...(involved !== undefined && { namespace: involved }) };
        const created = rig.core.createNamespacedEvent({
          namespace,
          body: { metadata: { generateName: 'a.' }, involvedObject },
        });
        if (accepted) expect((await created).metadata.namespace).toBe(namespace);
        else {
          const message = expect.stringContaining('involvedObject.namespace: Invalid value');
          expect(await refusal(created)).toMatchObject({ code: 422, message });
        }
      },
    );

    it('are refused with all missing fields', async () => {
      const body = { metadata: { name: 'a' }, spec: { containers: [{ name: 'main' }], volumes: [{}] } } as V1Pod;
      const { code, message } = await refusal(rig.core.createNamespacedPod({ namespace: 'default', body }));
      expect(code).toBe(422);
      expect(message).toContain('spec.containers[0].image: Required value');
      expect(message).toContain('spec.volumes[0].name: Required value');
    });

    it('store stringData of Secrets in base64', async () => {
      const body = { metadata: { name: 's' }, stringData: { 'fs.oss.accessKeyId': 'id' } };
      const secret = await rig.core.createNamespacedSecret({ namespace: 'default', body });
      expect(secret.data).toEqual({ 'fs.oss.accessKeyId': Buffer.from('id').toString('base64') });
      expect(secret.stringData).toBeUndefined();
    });
  });

  describe('updates', () => {
    it('of an old version are a conflict', async () => {
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

    it('keep the version if they change nothing', async () => {
      const made = await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      const same = await rig.core.replaceNamespacedPod({ name: 'a', namespace: 'default', body: made });
      expect(same.metadata?.resourceVersion).toBe(made.metadata?.resourceVersion);
    });

    it('of /status do not change the spec, and updates of the spec do not change the status', async () => {
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

    it('may change the image of a pod, but not its volumes', async () => {
      const made = await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
      const target = { name: 'a', namespace: 'default' };
      const image = { ...made, spec: { ...made.spec, containers: [{ name: 'main', image: 'nginx:2' }] } };
      const changed = await rig.core.replaceNamespacedPod({ ...target, body: image });
      expect(changed.metadata?.generation).toBe(2);
      const volumes = { ...changed, spec: { ...image.spec, volumes: [{ name: 'v', emptyDir: {} }] } };
      expect(await refusal(rig.core.replaceNamespacedPod({ ...target, body: volumes }))).toMatchObject({ code: 422 });
    });
  });

  it('closes when its signal is aborted', async () => {
    const abort = new AbortController();
    await using other = await start({ signal: abort.signal });
    using watch = await openWatch(other.config, '/api/v1/pods', {});
    abort.abort();
    await watch.ended;
  });
});

import { CoreV1Api, type KubernetesObject } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pod, type Rig, refusal, start, withToken } from './testing/test-rig.ts';

const group = 'rbac.authorization.k8s.io';
const rule = (verbs: readonly string[], resources: readonly string[], extra: object = {}) => ({
  apiGroups: [''],
  resources,
  verbs,
  ...extra,
});

describe('the stand-in enforces RBAC for service accounts', () => {
  let rig: Rig;
  let reader: CoreV1Api;
  beforeEach(async () => {
    rig = await start();
    await rig.core.createNamespacedServiceAccount({ namespace: 'default', body: { metadata: { name: 'reader' } } });
    reader = await client('reader');
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  async function client(name: string): Promise<CoreV1Api> {
    const body = { spec: { audiences: [] } };
    const { status } = await rig.core.createNamespacedServiceAccountToken({ name, namespace: 'default', body });
    return withToken(rig.config, status?.token ?? '').makeApiClient(CoreV1Api);
  }

  async function grant(kind: 'Role' | 'ClusterRole', rules: readonly object[]): Promise<void> {
    const metadata = { name: 'rekindle:reader', ...(kind === 'Role' && { namespace: 'default' }) };
    const roleRef = { apiGroup: group, kind, name: metadata.name };
    const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }];
    await rig.objects.create({ apiVersion: `${group}/v1`, kind, metadata, rules } as KubernetesObject);
    await rig.objects.create({
      apiVersion: `${group}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef,
      subjects,
    } as KubernetesObject);
  }

  it('refuses what no role grants, with the words of kube-apiserver', async () => {
    expect(await refusal(reader.listNamespacedPod({ namespace: 'default' }))).toEqual({
      code: 403,
      reason: 'Forbidden',
      message:
        'pods is forbidden: User "system:serviceaccount:default:reader" cannot list resource "pods" in API group "" in the namespace "default"',
    });
  });

  it('grants a verb on a resource in all namespaces by a ClusterRole', async () => {
    await grant('ClusterRole', [rule(['list'], ['pods'])]);
    expect((await reader.listPodForAllNamespaces()).items).toEqual([]);
    expect(await refusal(reader.readNamespacedPod({ name: 'a', namespace: 'default' }))).toMatchObject({ code: 403 });
    expect(await refusal(reader.listSecretForAllNamespaces())).toMatchObject({ code: 403 });
  });

  it('grants only its own namespace by a Role', async () => {
    await grant('Role', [rule(['list'], ['pods'])]);
    expect((await reader.listNamespacedPod({ namespace: 'default' })).items).toEqual([]);
    expect(await refusal(reader.listNamespacedPod({ namespace: 'kube-system' }))).toMatchObject({ code: 403 });
    expect(await refusal(reader.listPodForAllNamespaces())).toMatchObject({ code: 403 });
  });

  it('grants only the named objects by resourceNames, also to a list of one name', async () => {
    await rig.core.createNamespacedSecret({ namespace: 'default', body: { metadata: { name: 'mine' } } });
    await grant('Role', [rule(['get', 'list'], ['secrets'], { resourceNames: ['mine'] })]);
    const namespace = 'default';
    expect((await reader.readNamespacedSecret({ name: 'mine', namespace })).metadata?.name).toBe('mine');
    expect((await reader.listNamespacedSecret({ namespace, fieldSelector: 'metadata.name=mine' })).items).toHaveLength(
      1,
    );
    expect(await refusal(reader.listNamespacedSecret({ namespace }))).toMatchObject({ code: 403 });
    expect(await refusal(reader.readNamespacedSecret({ name: 'other', namespace }))).toMatchObject({ code: 403 });
  });

  it('keeps a subresource apart from its resource', async () => {
    await rig.core.createNamespacedPod({ namespace: 'default', body: pod('a') });
    await grant('Role', [rule(['get'], ['pods'])]);
    const namespace = 'default';
    expect((await reader.readNamespacedPod({ name: 'a', namespace })).metadata?.name).toBe('a');
    expect(await refusal(reader.readNamespacedPodStatus({ name: 'a', namespace }))).toMatchObject({ code: 403 });
  });

  it('refuses a forged token with 401', async () => {
    const token = `${Buffer.from('default/reader').toString('base64url')}.${'A'.repeat(43)}`;
    expect(await refusal(withToken(rig.config, token).makeApiClient(CoreV1Api).listNamespace())).toMatchObject({
      code: 401,
    });
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { customResources } from '../fluid/custom-resources.ts';
import { sendRaw, start as startStandIn, withToken } from './testing/test-rig.ts';

/*
 * What clients may rely on, asked of the stand-in and of Kubernetes' own API server (on kind) alike. Each run has a namespace of its own.
 */

interface Answer {
  readonly code: number;
  readonly reason?: string;
  readonly message?: string;
  readonly warning?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the body of any kind of object
  readonly body: any;
}

interface Sending {
  readonly type?: string;
  readonly accept?: string;
  /** A bearer token instead of the administrator's credentials; empty for none. */
  readonly token?: string;
}

interface WatchEvent {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: any kind of object
  readonly object: any;
}

interface ServerUnderTest extends AsyncDisposable {
  readonly config: KubeConfig;
}

/** A watch ends after this time, by which a busy API server has sent what there is. */
const watchSeconds = 4;

function kind(...args: readonly string[]): string {
  return execaSync('kind', args, { stdin: 'ignore', timeout: 300_000 }).stdout;
}

async function kubernetes(): Promise<ServerUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-contract-'));
  const name = `rekindle-contract-${randomBytes(3).toString('hex')}`;
  const file = join(folder, 'kubeconfig');
  const remove = () => {
    kind('delete', 'cluster', `--name=${name}`);
    rmSync(folder, { recursive: true });
  };
  try {
    kind('create', 'cluster', `--name=${name}`, `--kubeconfig=${file}`, '--image=kindest/node:v1.34.4');
  } catch (error) {
    remove();
    throw error;
  }
  const config = new KubeConfig();
  config.loadFromString(readFileSync(file, 'utf8'));
  return { config, [Symbol.asyncDispose]: async () => remove() };
}

function missingForKubernetes(): string | undefined {
  try {
    execaSync('docker', ['info'], { stdio: 'ignore', timeout: 20_000 });
    execaSync('docker', ['image', 'inspect', 'kindest/node:v1.34.4'], { stdio: 'ignore', timeout: 20_000 });
    kind('version');
    return undefined;
  } catch {
    return 'needs kind, a running Docker and the image kindest/node:v1.34.4';
  }
}

const missing = missingForKubernetes();
const servers = [
  { name: 'the stand-in', start: () => startStandIn(), reason: undefined },
  { name: `Kubernetes' own API server${missing ? ` (${missing})` : ''}`, start: kubernetes, reason: missing },
];

const namespace = 'contract';
const inNamespace = `/api/v1/namespaces/${namespace}`;
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const merge = { type: 'application/merge-patch+json' };
const apply = { type: 'application/apply-patch+yaml' };
const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'nginx:stable' }], ...spec },
});
const event = (name: string, involved: object) => ({
  metadata: { name },
  involvedObject: { kind: 'Pod', name: 'p', ...involved },
  reason: 'Tested',
});

const names = (list: { readonly items: readonly { readonly metadata: { readonly name: string } }[] }) =>
  list.items.map(({ metadata }) => metadata.name);

describe.each(servers)('$name', ({ start, reason }) => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    if (reason !== undefined) return;
    server = await start();
    await send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    // Kubernetes admits pods once a controller has made the namespace's default service account.
    const admitted = async () =>
      expect(await send('POST', `${inNamespace}/pods?dryRun=All`, pod('first'))).toMatchObject({ code: 201 });
    await vi.waitFor(admitted, { timeout: 60_000 });
    for (const definition of customResources({}))
      await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  }, 400_000);
  afterAll(() => server?.[Symbol.asyncDispose](), 120_000);
  const test = it.skipIf(reason !== undefined);

  async function send(method: string, path: string, body?: object, sending: Sending = {}): Promise<Answer> {
    const { type = 'application/json', accept = 'application/json', token } = sending;
    const config = token === undefined ? server.config : withToken(server.config, token);
    const { code, headers, text } = await sendRaw(config, {
      method,
      path,
      headers: { accept, ...(body && { 'content-type': type }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const parsed = JSON.parse(text || '{}');
    const { reason, message } = parsed;
    return { code, reason, message, ...(headers.warning && { warning: headers.warning }), body: parsed };
  }

  /** The events of a watch, once the server has ended it. */
  async function eventsOf(path: string, { accept = 'application/json' }: Sending = {}): Promise<readonly WatchEvent[]> {
    const { text } = await sendRaw(server.config, { method: 'GET', path, headers: { accept } });
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  test('refuses a request without credentials or with a wrong token', async () => {
    expect(await send('GET', `${inNamespace}/pods`, undefined, { token: 'wrong' })).toMatchObject({ code: 401 });
  });

  test('answers 404 for a missing object, and for a missing namespace', async () => {
    expect(await send('GET', `${inNamespace}/pods/none`)).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'pods "none" not found',
    });
    expect(await send('POST', '/api/v1/namespaces/none/secrets', { metadata: { name: 'a' } })).toMatchObject({
      code: 404,
      message: 'namespaces "none" not found',
    });
  });

  test('answers 409 to a second creation', async () => {
    const secret = { metadata: { name: 'twice' } };
    expect(await send('POST', `${inNamespace}/secrets`, secret)).toMatchObject({ code: 201 });
    expect(await send('POST', `${inNamespace}/secrets`, secret)).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'secrets "twice" already exists',
    });
  });

  test('answers 409 to an update of an old version, by PUT and by PATCH', async () => {
    const { body: first } = await send('POST', `${inNamespace}/configmaps`, { metadata: { name: 'old' } });
    const path = `${inNamespace}/configmaps/old`;
    const { body: second } = await send('PATCH', path, { data: { a: '1' } }, merge);
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
    const stale = { code: 409, reason: 'Conflict', message: expect.stringContaining('the object has been modified') };
    expect(await send('PUT', path, { ...first, data: { b: '2' } })).toMatchObject(stale);
    const { resourceVersion } = first.metadata;
    expect(await send('PATCH', path, { metadata: { resourceVersion }, data: {} }, merge)).toMatchObject(stale);
  });

  test('leaves the version as it is if an update changes nothing', async () => {
    const { body } = await send('POST', `${inNamespace}/configmaps`, {
      metadata: { name: 'same' },
      data: { a: '1' },
    });
    const { body: after } = await send('PATCH', `${inNamespace}/configmaps/same`, { data: { a: '1' } }, merge);
    expect(after.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
  });

  test('answers 422 to an event in another namespace than its object’s', async () => {
    const involved = { namespace };
    expect(await send('POST', `${inNamespace}/events`, event('right', involved))).toMatchObject({ code: 201 });
    expect(await send('POST', '/api/v1/namespaces/default/events', event('wrong', involved))).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: expect.stringContaining('involvedObject.namespace'),
    });
    expect(await send('POST', `${inNamespace}/events`, event('node', { kind: 'Node' }))).toMatchObject({
      code: 422,
    });
  });

  test('drops unknown fields with a warning, and refuses them under strict validation', async () => {
    const misspelt = pod('misspelt', { restartPolice: 'Never' });
    const strict = await send('POST', `${inNamespace}/pods?fieldValidation=Strict`, misspelt);
    expect(strict).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(strict.message).toContain('strict decoding error: unknown field "spec.restartPolice"');
    const dropped = await send('POST', `${inNamespace}/pods?dryRun=All`, misspelt);
    expect(dropped.code).toBe(201);
    expect(dropped.warning).toContain('unknown field \\"spec.restartPolice\\"');
    expect(dropped.body.spec).not.toHaveProperty('restartPolice');
  });

  test('names the wrong field of an invalid object', async () => {
    const {
      code,
      reason: cause,
      message,
    } = await send('POST', `${inNamespace}/secrets`, {
      metadata: { name: 'A_B' },
    });
    expect({ code, cause }).toEqual({ code: 422, cause: 'Invalid' });
    expect(message).toContain('metadata.name: Invalid value: "A_B": a lowercase RFC 1123 subdomain must consist of');
    const labelled = { metadata: { name: 'a', labels: { a: 'not valid' } } };
    expect(await send('POST', `${inNamespace}/secrets`, labelled)).toMatchObject({
      code: 422,
      message: expect.stringContaining('metadata.labels: Invalid value: "not valid"'),
    });
    expect(await send('POST', `${inNamespace}/pods`, { metadata: { name: 'a' }, spec: {} })).toMatchObject({
      code: 422,
      message: expect.stringContaining('spec.containers: Required value'),
    });
  });

  test('refuses to change what is immutable', async () => {
    const csi = { driver: 'fuse.csi.fluid.io', volumeHandle: 'a' };
    const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadOnlyMany'], csi };
    const name = 'contract-volume';
    expect(await send('POST', '/api/v1/persistentvolumes', { metadata: { name }, spec })).toMatchObject({
      code: 201,
    });
    const change = { spec: { csi: { volumeHandle: 'b' } } };
    expect(await send('PATCH', `/api/v1/persistentvolumes/${name}`, change, merge)).toMatchObject({
      code: 422,
      reason: 'Invalid',
    });
    await send('DELETE', `/api/v1/persistentvolumes/${name}`);
  });

  test('encodes stringData, and returns no such field', async () => {
    const { body } = await send('POST', `${inNamespace}/secrets`, {
      metadata: { name: 'text' },
      stringData: { a: 'b' },
    });
    expect(body).toMatchObject({ data: { a: 'Yg==' }, type: 'Opaque' });
    expect(body).not.toHaveProperty('stringData');
  });

  test('keeps the status apart from the rest', async () => {
    const { body } = await send('POST', `${inNamespace}/pods`, {
      ...pod('parts', { schedulerName: 'none' }),
      status: { phase: 'Running' },
    });
    expect(body.status.phase).toBe('Pending');
    const path = `${inNamespace}/pods/parts`;
    const patch = { metadata: { annotations: { a: 'b' } }, status: { message: 'm' } };
    expect((await send('PATCH', path, patch, merge)).body.status).not.toHaveProperty('message');
    const change = { spec: { nodeName: 'n' }, status: { message: 'm' } };
    const after = await send('PATCH', `${path}/status`, change, merge);
    expect(after.body).toMatchObject({ status: { message: 'm' } });
    expect(after.body.spec.nodeName).toBeUndefined();
  });

  test('selects pods by their node, also in a watch', async () => {
    for (const nodeName of ['here', 'elsewhere'])
      await send('POST', `${inNamespace}/pods`, pod(`on-${nodeName}`, { nodeName }));
    const selected = `/api/v1/pods?fieldSelector=${encodeURIComponent('spec.nodeName=here')}`;
    const { body } = await send('GET', selected);
    expect(names(body)).toEqual(['on-here']);
    const watch = `${selected}&watch=true&timeoutSeconds=${watchSeconds}&resourceVersion=0`;
    const events = await eventsOf(watch);
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED on-here']);
    expect(await send('GET', '/api/v1/persistentvolumes?fieldSelector=spec.csi.driver%3Da')).toMatchObject({
      code: 400,
      message: expect.stringContaining('"spec.csi.driver" is not a known field selector'),
    });
  });

  test('returns only metadata to a client that asks for it', async () => {
    const metadata = (kind: string) => ({ accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` });
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'partial' } };
    await send('POST', `${inNamespace}/configmaps`, { metadata: { name: 'partial' }, data: { a: '1' } });
    const one = await send('GET', `${inNamespace}/configmaps/partial`, undefined, metadata(partial.kind));
    expect(one.body).toMatchObject(partial);
    expect(one.body).not.toHaveProperty('data');
    const selected = `${inNamespace}/configmaps?fieldSelector=metadata.name%3Dpartial`;
    const list = await send('GET', selected, undefined, metadata('PartialObjectMetadataList'));
    expect(list.body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(list.body.items).toMatchObject([partial]);
    expect(list.body.items[0]).not.toHaveProperty('data');
    const watch = `${selected}&watch=true&timeoutSeconds=${watchSeconds}&resourceVersion=0`;
    const [added] = await eventsOf(watch, metadata(partial.kind));
    expect(added).toMatchObject({ type: 'ADDED', object: partial });
    expect(added?.object).not.toHaveProperty('data');
    expect(await send('GET', selected, undefined, metadata(partial.kind))).toMatchObject({ code: 406 });
  });

  test('answers 409 to a deletion with the uid of another object', async () => {
    await send('POST', `${inNamespace}/secrets`, { metadata: { name: 'precious' } });
    const options = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
    expect(await send('DELETE', `${inNamespace}/secrets/precious`, options)).toMatchObject({ code: 409 });
    expect(await send('GET', `${inNamespace}/secrets/precious`)).toMatchObject({ code: 200 });
  });

  test('answers 415 to an unknown kind of patch', async () => {
    await send('POST', `${inNamespace}/secrets`, { metadata: { name: 'patched' } });
    expect(await send('PATCH', `${inNamespace}/secrets/patched`, {}, { type: 'text/plain' })).toMatchObject({
      code: 415,
    });
  });

  test('grants a service account what its roles say, and nothing else', async () => {
    await send('POST', `${inNamespace}/serviceaccounts`, { metadata: { name: 'reader' } });
    const { body } = await send('POST', `${inNamespace}/serviceaccounts/reader/token`, { spec: {} });
    const reader = { token: body.status.token as string };
    const user = `system:serviceaccount:${namespace}:reader`;
    expect(await send('GET', `${inNamespace}/secrets`, undefined, reader)).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: `secrets is forbidden: User "${user}" cannot list resource "secrets" in API group "" in the namespace "${namespace}"`,
    });
    expect(await send('GET', '/api/v1/pods', undefined, reader)).toMatchObject({
      code: 403,
      message: `pods is forbidden: User "${user}" cannot list resource "pods" in API group "" at the cluster scope`,
    });

    const rules = [
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get', 'list', 'patch'] },
    ];
    await send('POST', `${rbac}/namespaces/${namespace}/roles`, { metadata: { name: 'reader' }, rules });
    const bindings = `${rbac}/namespaces/${namespace}/rolebindings`;
    await send('POST', bindings, {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
    });
    // Kubernetes' authorizer learns of new roles through informers.
    await expect
      .poll(async () => (await send('GET', `${inNamespace}/pods`, undefined, reader)).code, { timeout: 20_000 })
      .toBe(200);
    const asReader = async (method: string, path: string, content?: object, type?: string) =>
      (await send(method, path, content, { ...reader, ...(type && { type }) })).code;
    expect(await asReader('GET', '/api/v1/pods')).toBe(403);
    expect(await asReader('GET', `${inNamespace}/pods/parts`)).toBe(403);
    expect(await asReader('GET', '/api/v1/namespaces/default/pods')).toBe(403);
    expect(await asReader('GET', `${inNamespace}/configmaps/other`)).toBe(403);
    expect(await asReader('GET', `${inNamespace}/configmaps`)).toBe(403);
    expect(await asReader('GET', `${inNamespace}/configmaps?fieldSelector=metadata.name%3Dmine`)).toBe(200);
    expect(await asReader('GET', `${inNamespace}/configmaps/mine`)).toBe(404);
    // Server-side apply of an object that does not exist needs the verb create as well.
    const mine = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine' } };
    const applied = `${inNamespace}/configmaps/mine?fieldManager=test&force=true`;
    expect(await asReader('PATCH', applied, mine, apply.type)).toBe(403);
    await send('PATCH', applied, mine, apply);
    expect(await asReader('PATCH', applied, { ...mine, data: { a: 'b' } }, apply.type)).toBe(200);

    const changed = { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'other' } };
    expect(await send('PATCH', `${bindings}/reader`, changed, merge)).toMatchObject({ code: 422 });
  });

  test('lists in pages, in the order of names', async () => {
    const labels = { page: 'yes' };
    for (const name of ['page-c', 'page-a', 'page-b'])
      await send('POST', `${inNamespace}/configmaps`, { metadata: { name, labels } });
    const path = `${inNamespace}/configmaps?labelSelector=page%3Dyes`;
    const names = ({ body }: Answer) => body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
    const first = await send('GET', `${path}&limit=2`);
    expect(names(first)).toEqual(['page-a', 'page-b']);
    const { continue: token, resourceVersion } = first.body.metadata;
    const second = await send('GET', `${path}&limit=2&continue=${encodeURIComponent(token)}`);
    expect(names(second)).toEqual(['page-c']);
    expect(second.body.metadata.continue ?? '').toBe('');
    expect(second.body.metadata.resourceVersion).toBe(resourceVersion);
    expect(await send('GET', `${path}&limit=2&continue=wrong`)).toMatchObject({ code: 400, reason: 'BadRequest' });
  });

  test('watches from what exists, ends it with a bookmark, and ends in time', async () => {
    await send('POST', `${inNamespace}/configmaps`, { metadata: { name: 'watched', labels: { watched: 'yes' } } });
    const query = `watch=1&timeoutSeconds=${watchSeconds}&sendInitialEvents=true&allowWatchBookmarks=true`;
    const { code, text } = await sendRaw(server.config, {
      method: 'GET',
      path: `${inNamespace}/configmaps?labelSelector=watched%3Dyes&resourceVersionMatch=NotOlderThan&${query}`,
    });
    expect(code).toBe(200);
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.slice(0, 2)).toMatchObject([
      { type: 'ADDED', object: { metadata: { name: 'watched' } } },
      { type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } },
    ]);
  });

  test('keeps the owners of applied fields', async () => {
    const map = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data });
    const path = `${inNamespace}/configmaps/owned`;
    const as = (manager: string, data: object, query = '') =>
      send('PATCH', `${path}?fieldManager=${manager}${query}`, map(data), apply);
    expect(await as('one', { a: '1', b: '1' })).toMatchObject({ code: 201 });
    expect((await as('one', { a: '2' })).body.data).toEqual({ a: '2' });
    expect(await as('two', { a: '3' })).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
    });
    expect((await as('two', { a: '3', c: '3' }, '&force=true')).body.data).toEqual({ a: '3', c: '3' });
    expect((await as('one', { d: '1' })).body.data).toEqual({ a: '3', c: '3', d: '1' });
    await send('PATCH', `${path}?fieldManager=editor`, { data: { d: '2' } }, merge);
    expect(await as('one', { d: '3' })).toMatchObject({
      code: 409,
      message: expect.stringMatching(/^Apply failed with 1 conflict: conflict with "editor" using v1.*: \.data\.d$/),
    });
    expect(await send('PATCH', path, map({}), apply)).toMatchObject({
      code: 422,
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    });
  });

  test('serves leases, of which only one of two updates wins', async () => {
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const spec = { holderIdentity: 'one', leaseDurationSeconds: 15 };
    const { code, body } = await send('POST', leases, { metadata: { name: 'leader' }, spec });
    expect(code).toBe(201);
    const taken = (holderIdentity: string) => ({ ...body, spec: { ...spec, holderIdentity } });
    expect(await send('PUT', `${leases}/leader`, taken('two'))).toMatchObject({ code: 200 });
    expect(await send('PUT', `${leases}/leader`, taken('three'))).toMatchObject({ code: 409 });
  });

  test('issues no token for a service account that does not exist', async () => {
    expect(await send('POST', `${inNamespace}/serviceaccounts/none/token`, { spec: {} })).toMatchObject({
      code: 404,
    });
  });

  test('evicts a pod, unless its name, its UID or its disruption budget forbids it', async () => {
    const labels = { app: 'evicted' };
    const onNoNode = { ...pod('evicted', { nodeName: 'none' }), metadata: { name: 'evicted', labels } };
    const { body: created } = await send('POST', `${inNamespace}/pods`, onNoNode);
    const eviction = (name: string, uid?: string) => ({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
      ...(uid && { deleteOptions: { preconditions: { uid } } }),
    });
    const path = `${inNamespace}/pods/evicted/eviction`;
    expect(await send('POST', path, eviction('other'))).toMatchObject({
      code: 400,
      message: 'name in URL does not match name in Eviction object',
    });
    expect(await send('POST', `${inNamespace}/pods/none/eviction`, eviction('none'))).toMatchObject({ code: 404 });
    await send('PATCH', `${inNamespace}/pods/evicted/status`, { status: { phase: 'Running' } }, merge);
    expect(await send('POST', path, eviction('evicted', 'of-another-pod'))).toMatchObject({
      code: 409,
      reason: 'Conflict',
    });
    const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
    const spec = { minAvailable: 1, selector: { matchLabels: labels } };
    await send('POST', budgets, { metadata: { name: 'first' }, spec });
    expect(await send('POST', path, eviction('evicted', created.metadata.uid))).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      body: { details: { causes: [{ reason: 'DisruptionBudget' }] } },
    });
    // One without a selector covers no pod, one with an empty selector every pod of the namespace.
    await send('POST', budgets, { metadata: { name: 'of-nothing' }, spec: { minAvailable: 1 } });
    expect(await send('POST', path, eviction('evicted'))).toMatchObject({ code: 429 });
    await send('POST', budgets, { metadata: { name: 'second' }, spec: { ...spec, selector: {} } });
    expect(await send('POST', path, eviction('evicted'))).toMatchObject({
      code: 500,
      message: expect.stringContaining('more than one PodDisruptionBudget'),
    });
    for (const name of ['first', 'second', 'of-nothing']) await send('DELETE', `${budgets}/${name}`);
    const evicted = await send('POST', path, eviction('evicted', created.metadata.uid));
    expect(evicted).toMatchObject({ code: 201, body: { kind: 'Status', status: 'Success' } });
    expect(await send('GET', `${inNamespace}/pods/evicted`)).toMatchObject({
      body: { metadata: { deletionTimestamp: expect.any(String) } },
    });
  });

  test('asks for a version in the update of a custom object', async () => {
    const path = `/apis/data.fluid.io/v1alpha1/namespaces/${namespace}/datasets`;
    // A custom kind is served a moment after its definition was accepted.
    const dataset = {
      apiVersion: 'data.fluid.io/v1alpha1',
      kind: 'Dataset',
      metadata: { name: 'demo' },
      spec: { mounts: [{ mountPoint: 'oss://a', name: 'a' }] },
    };
    await expect.poll(async () => (await send('POST', path, dataset)).code, { timeout: 20_000 }).not.toBe(404);
    expect(await send('PUT', `${path}/demo`, { ...dataset, spec: { mounts: [] } })).toMatchObject({
      code: 422,
      message: expect.stringContaining('metadata.resourceVersion: Invalid value'),
    });
  });
});

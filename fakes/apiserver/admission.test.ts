import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { V1Pod } from '@kubernetes/client-node';
import { AdmissionregistrationV1Api, AppsV1Api, PatchStrategy } from '@kubernetes/client-node';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { monotonicClock } from '../../recovery/clock.ts';
import { createLog } from '../../recovery/log.ts';
import { createSelfSigned } from '../../recovery/webhook/certificate.ts';
import { startWebhook } from '../../recovery/webhook/webhook.ts';
import { pod, type Rig, refusal, sendRaw, start } from './testing/test-rig.ts';

let rig: Rig;
let stack: AsyncDisposableStack;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  rig = stack.use(await start());
});
afterEach(() => stack.disposeAsync());

/** Creates a pod without the client, to see the response's headers. */
async function createRaw(body: object): Promise<{ code: number; warnings: string | undefined; text: string }> {
  const { code, headers, text } = await sendRaw(rig.config, {
    method: 'POST',
    path: '/api/v1/namespaces/default/pods',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { code, warnings: headers.warning, text };
}

describe('the webhook, registered with the API server, over HTTPS and through the real client', () => {
  const inject = { 'fuse.serverful.fluid.io/inject': 'true' };
  const eci = { 'alibabacloud.com/fluid-sidecar-target': 'eci' };
  const using = (name: string, labels: Record<string, string>, change: object = {}): V1Pod =>
    pod(name, {
      metadata: { name, labels },
      spec: {
        containers: [{ name: 'demo', image: 'nginx', volumeMounts: [{ name: 'data', mountPath: '/data', ...change }] }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'demo' } }],
      },
    });
  const log = createLog(pino.destination('/dev/null'), monotonicClock.now);
  const startIt = async () => {
    const flags = { host: '127.0.0.1', port: 0, kubeconfig: undefined, mountRoot: '/runtime-mnt' };
    const setting = {
      flags: { ...flags, register: { url: 'https://127.0.0.1' }, recoversSubPath: false, certificateSecret: undefined },
      log,
      random: Math.random,
      now: () => new Date(),
    };
    return stack.use(await startWebhook({ ...setting, kubeConfig: rig.config }));
  };
  const create = (body: V1Pod) => rig.core.createNamespacedPod({ namespace: 'default', body });

  async function makeDataset(accessMode: string): Promise<void> {
    const accessModes = [accessMode];
    await rig.core.createPersistentVolume({
      body: {
        metadata: { name: 'default-demo' },
        spec: {
          accessModes,
          capacity: { storage: '1Gi' },
          claimRef: { namespace: 'default', name: 'demo' },
          csi: {
            driver: 'fuse.csi.fluid.io',
            volumeHandle: 'default-demo',
            volumeAttributes: { fluid_path: '/runtime-mnt/jindo/default/demo/jindofs-fuse' },
          },
        },
      },
    });
    await rig.core.createNamespacedPersistentVolumeClaim({
      namespace: 'default',
      body: { metadata: { name: 'demo' }, spec: { accessModes, volumeName: 'default-demo' } },
    });
    const labels = { role: 'jindofs-fuse', release: 'demo' };
    await rig.config.makeApiClient(AppsV1Api).createNamespacedDaemonSet({
      namespace: 'default',
      body: {
        metadata: { name: 'demo-jindofs-fuse', labels },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  name: 'jindofs-fuse',
                  image: 'rekindle/fuse:dev',
                  volumeMounts: [{ name: 'mount', mountPath: '/jfs', mountPropagation: 'Bidirectional' }],
                },
              ],
              volumes: [{ name: 'mount', hostPath: { path: '/runtime-mnt/jindo/default/demo' } }],
            },
          },
        },
      },
    });
  }

  it('patches a labelled pod of a dataset that was created just before', async () => {
    await startIt();
    await makeDataset('ReadOnlyMany');
    const made = await create(using('a', inject));
    expect(made.spec?.containers[0]?.volumeMounts?.[0]?.mountPropagation).toBe('HostToContainer');
    expect((await create(using('b', {}))).spec?.containers[0]?.volumeMounts?.[0]?.mountPropagation).toBeUndefined();
  });

  it('denies a subPath with a 403 and a message, and stores nothing', async () => {
    await startIt();
    await makeDataset('ReadOnlyMany');
    const { code, reason, message } = await refusal(create(using('a', inject, { subPath: 'logs' })));
    expect({ code, reason }).toEqual({ code: 403, reason: 'Forbidden' });
    expect(message).toMatch(
      /^admission webhook "fuse.serverful.fluid.io" denied the request: container "demo" mounts subPath "logs" of volume "data"/,
    );
    expect((await rig.core.listNamespacedPod({ namespace: 'default' })).items).toEqual([]);
    expect((await create(using('b', {}, { subPath: 'logs' }))).metadata?.name).toBe('b');
  });

  it('sends one Warning header for a read-write dataset', async () => {
    await startIt();
    await makeDataset('ReadWriteMany');
    const { code, warnings } = await createRaw(using('a', inject));
    expect(code).toBe(201);
    expect(warnings).toMatch(/^299 - "dataset demo is not read-only \(ReadWriteMany\), so volume \\"data\\" .*"$/);
    expect(warnings?.split('299').length).toBe(2);
  });

  it('adds a sidecar to a serverless pod whose name is not generated yet', async () => {
    await startIt();
    await makeDataset('ReadOnlyMany');
    const generated = { ...using('', eci), metadata: { generateName: 'app-', labels: eci } };
    const made = await create(generated);
    expect(made.metadata?.name).toMatch(/^app-.{5}$/);
    expect(made.spec?.containers.map(({ name }) => name)).toEqual(['fluid-fuse-0', 'demo']);
    expect(made.spec?.volumes).toEqual([{ name: 'data', emptyDir: {} }]);
  });

  it('admits a pod with an annotation of 64 KB, and denies one whose claim does not exist', async () => {
    await startIt();
    await makeDataset('ReadOnlyMany');
    const large = using('a', inject);
    large.metadata = { ...large.metadata, annotations: { note: 'é"\\'.repeat(16_384) } };
    expect((await create(large)).spec?.containers[0]?.volumeMounts?.[0]?.mountPropagation).toBe('HostToContainer');
    const orphan = using('b', inject);
    orphan.spec = {
      ...orphan.spec,
      containers: orphan.spec?.containers ?? [],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'x' } }],
    };
    expect(await refusal(create(orphan))).toMatchObject({
      code: 403,
      message: expect.stringContaining('claim "x" does not exist'),
    });
  });

  it('that has stopped makes creating a labelled pod fail, but no other pod', async () => {
    const webhook = await startIt();
    await makeDataset('ReadOnlyMany');
    await webhook[Symbol.asyncDispose]();
    expect(await refusal(create(using('a', inject)))).toMatchObject({
      code: 500,
      message: expect.stringMatching(
        /failed calling webhook "fuse.serverful.fluid.io": failed to call webhook: Post "https:.*ECONNREFUSED/,
      ),
    });
    expect((await create(using('b', {}))).metadata?.name).toBe('b');
  });

  it('registers its new certificate after a restart', async () => {
    const api = rig.config.makeApiClient(AdmissionregistrationV1Api);
    const bundle = async () =>
      (await api.readMutatingWebhookConfiguration({ name: 'fluid-pod-admission-webhook' })).webhooks?.[0]?.clientConfig
        .caBundle;
    await startIt();
    const first = await bundle();
    await startIt();
    await makeDataset('ReadOnlyMany');
    expect(await bundle()).not.toBe(first);
    expect((await create(using('a', inject))).spec?.containers[0]?.volumeMounts?.[0]?.mountPropagation).toBe(
      'HostToContainer',
    );
  });

  it('answers a body that is not a review with an error, reports its health, and keeps running', async () => {
    await startIt();
    const api = rig.config.makeApiClient(AdmissionregistrationV1Api);
    const { webhooks } = await api.readMutatingWebhookConfiguration({ name: 'fluid-pod-admission-webhook' });
    const { url = '', caBundle = '' } = webhooks?.[0]?.clientConfig ?? {};
    const ca = Buffer.from(caBundle, 'base64');
    const ask = async (path: string, method: string, body = ''): Promise<string> => {
      const sent = httpsRequest(new URL(path, url), { method, ca, agent: false }).end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      let text = '';
      for await (const chunk of response) text += chunk;
      return `${response.statusCode} ${text.trim()}`;
    };
    expect(await ask('/mutate', 'POST', '{')).toMatch(/^400 the body is not JSON/);
    expect(await ask('/mutate', 'POST', '{"kind":"Pod"}')).toMatch(/^400 the body is nothing, Kind=Pod/);
    expect(await ask('/validate', 'GET')).toMatch(/^405/);
    expect(await ask('/other', 'POST', '{}')).toMatch(/^404/);
    expect(await ask('/mutate', 'POST', ' '.repeat(8 * 1024 * 1024 + 1))).toMatch(/^413/);
    expect(await ask('/healthz', 'GET')).toBe('200 ok');
  });
});

describe('admission webhooks', async () => {
  const { key, certificate } = await createSelfSigned({
    names: ['127.0.0.1'],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  const bundleOf = (text: string) => Buffer.from(text).toString('base64');
  type Review = { readonly request: { readonly uid: string; readonly object: V1Pod } };
  /** The response of the webhook; it never answers if this returns undefined. */
  let say: (review: Review) => object | undefined | Promise<object>;
  let asked: Review[];
  let server: Server;
  let port: number;
  beforeEach(async () => {
    asked = [];
    server = createServer({ key, cert: certificate }, async (incoming, response) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      const review = JSON.parse(body) as Review;
      asked.push(review);
      const said = await say(review);
      if (said === undefined) return;
      const { uid } = review.request;
      response.end(
        JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...said } }),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
  });
  const patch = (...operations: readonly object[]) => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  });
  const label = (name: string) => patch({ op: 'add', path: `/metadata/labels/${name}`, value: 'x' });

  async function registered(
    change: object = {},
    kind: 'Mutating' | 'Validating' = 'Mutating',
    count = 1,
  ): Promise<void> {
    const webhook = {
      name: 'a.example.com',
      admissionReviewVersions: ['v1'],
      clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: bundleOf(certificate) },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      sideEffects: 'None',
      // On a busy machine the webhook of the test needs a while.
      timeoutSeconds: 30,
      ...change,
    };
    const webhooks = Array.from({ length: count }, (_, index) => ({ ...webhook, name: `${'ab'[index]}.example.com` }));
    await rig.objects.create({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${kind}WebhookConfiguration`,
      metadata: { name: 'test' },
      webhooks,
    } as never);
  }
  const create = (extra: Partial<V1Pod> = {}) =>
    rig.core.createNamespacedPod({
      namespace: 'default',
      body: pod('a', { ...extra, metadata: { name: 'a', labels: { is: 'here' }, ...extra.metadata } }),
    });

  it.each<[string, object, boolean]>([
    ['without selectors', {}, true],
    ['whose objectSelector matches', { objectSelector: { matchLabels: { is: 'here' } } }, true],
    ['whose objectSelector does not match', { objectSelector: { matchLabels: { is: 'gone' } } }, false],
    [
      'of an expression In',
      { objectSelector: { matchExpressions: [{ key: 'is', operator: 'In', values: ['here'] }] } },
      true,
    ],
    [
      'of an expression NotIn',
      { objectSelector: { matchExpressions: [{ key: 'is', operator: 'NotIn', values: ['here'] }] } },
      false,
    ],
    ['of an expression Exists', { objectSelector: { matchExpressions: [{ key: 'no', operator: 'Exists' }] } }, false],
    [
      'of an expression DoesNotExist',
      { objectSelector: { matchExpressions: [{ key: 'no', operator: 'DoesNotExist' }] } },
      true,
    ],
    ['of another namespace', { namespaceSelector: { matchLabels: { team: 'blue' } } }, false],
    [
      'for updates',
      { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods'] }] },
      false,
    ],
    [
      'for everything',
      { rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] },
      true,
    ],
    [
      'for what has no namespace',
      {
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Cluster' },
        ],
      },
      false,
    ],
  ])('are asked only about what they are for: one %s', async (_what, change, isAsked) => {
    say = () => ({ allowed: true });
    await registered(change);
    await create();
    expect(asked).toHaveLength(isAsked ? 1 : 0);
  });

  it('change the object, and see it without its identity', async () => {
    say = () => label('added');
    await registered();
    expect((await create()).metadata?.labels).toEqual({ is: 'here', added: 'x' });
    expect(asked[0]?.request.object.metadata).not.toHaveProperty('uid');
    expect(asked[0]?.request).toMatchObject({ operation: 'CREATE', namespace: 'default', name: 'a', dryRun: false });
  });

  it('are called again if they want it and a later one has changed the object', async () => {
    say = ({ request: { object } }) =>
      asked.length === 2 ? label('late') : object.metadata?.labels?.late ? label('seen') : { allowed: true };
    await registered({ reinvocationPolicy: 'IfNeeded' }, 'Mutating', 2);
    expect((await create()).metadata?.labels).toEqual({ is: 'here', late: 'x', seen: 'x' });
    expect(asked).toHaveLength(3);
  });

  it('cannot change the identity of the object or make it invalid', async () => {
    say = () => patch({ op: 'replace', path: '/metadata/name', value: 'b' });
    await registered();
    expect((await create()).metadata?.name).toBe('a');
    say = () => patch({ op: 'remove', path: '/spec/containers' });
    expect(await refusal(create({ metadata: { name: 'c' } }))).toMatchObject({
      code: 422,
      message: expect.stringContaining('spec.containers'),
    });
  });

  describe('for updates', () => {
    const onUpdate = {
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods'] }],
    };
    const relabel = (value: string, resourceVersion?: string) =>
      rig.objects.patch(
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: 'a',
            namespace: 'default',
            labels: { is: value },
            ...(resourceVersion && { resourceVersion }),
          },
        },
        undefined,
        undefined,
        undefined,
        undefined,
        PatchStrategy.MergePatch,
      );

    it('receive the old and the new object, and change the new one', async () => {
      say = () => label('added');
      await registered(onUpdate);
      const { metadata } = await create();
      expect((await relabel('there')).metadata?.labels).toEqual({ is: 'there', added: 'x' });
      expect(asked).toHaveLength(1);
      expect(asked[0]?.request).toMatchObject({
        operation: 'UPDATE',
        oldObject: { metadata: { uid: metadata?.uid, labels: { is: 'here' } } },
        object: { metadata: { uid: metadata?.uid, labels: { is: 'there' } } },
      });
    });

    it('are called if their objectSelector matches the old object only', async () => {
      say = () => ({ allowed: false });
      await registered({ ...onUpdate, objectSelector: { matchLabels: { is: 'here' } } }, 'Validating');
      await create();
      expect(await refusal(relabel('gone'))).toMatchObject({ code: 400 });
      expect((await rig.core.readNamespacedPod({ name: 'a', namespace: 'default' })).metadata?.labels?.is).toBe('here');
    });

    it('are not called for the status', async () => {
      say = () => ({ allowed: false });
      await registered(onUpdate);
      await create();
      const body = [{ op: 'add', path: '/status/phase', value: 'Running' }];
      await rig.core.patchNamespacedPodStatus({ name: 'a', namespace: 'default', body });
      expect(asked).toEqual([]);
    });

    it('let a patch be tried again, and refuse one of an old version with 409, if the object changed during the call', async () => {
      say = () => ({ allowed: true });
      await registered(onUpdate);
      const { metadata } = await create();
      const interfere = () => {
        say = () => ({ allowed: true });
        const body = [{ op: 'add', path: '/status/phase', value: `Phase${asked.length}` }];
        void rig.core.patchNamespacedPodStatus({ name: 'a', namespace: 'default', body }).then(release);
        return delayed;
      };
      let release = (): void => {};
      let delayed = Promise.resolve<object>({ allowed: true });
      const hold = () => {
        const { promise, resolve } = Promise.withResolvers<object>();
        delayed = promise;
        release = () => resolve({ allowed: true });
        say = interfere;
      };
      hold();
      expect((await relabel('there')).metadata?.labels?.is).toBe('there');
      expect(asked).toHaveLength(2);
      const { metadata: current } = await rig.core.readNamespacedPod({ name: 'a', namespace: 'default' });
      expect(current?.resourceVersion).not.toBe(metadata?.resourceVersion);
      hold();
      expect(await refusal(relabel('gone', current?.resourceVersion))).toMatchObject({ code: 409, reason: 'Conflict' });
    });
  });

  it.each<[string, object | undefined, object, string]>([
    ['answer with another uid', { uid: 'other', allowed: true }, {}, 'expected response.uid='],
    ['use an unknown patch type', { ...label('x'), patchType: 'Merge' }, {}, 'patchType "JSONPatch"'],
    ['do not answer', undefined, {}, 'context deadline exceeded'],
    [
      'are not the ones that the certificate is of',
      { allowed: true },
      { clientConfig: 'other' },
      'self-signed certificate',
    ],
  ])('that %s fail the creation, or are ignored if the policy allows it', async (_what, said, change, message) => {
    say = () => said;
    const other = await createSelfSigned({
      names: ['127.0.0.1'],
      notBefore: new Date(0),
      notAfter: new Date('2040-01-01'),
    });
    const clientConfig = { url: `https://127.0.0.1:${port}/`, caBundle: bundleOf(other.certificate) };
    const wrong = 'clientConfig' in change ? { clientConfig } : said === undefined ? { timeoutSeconds: 1 } : {};
    await registered(wrong);
    expect(await refusal(create())).toMatchObject({
      code: 500,
      reason: 'InternalError',
      message: expect.stringContaining(message),
    });
    const api = rig.config.makeApiClient(AdmissionregistrationV1Api);
    await api.deleteMutatingWebhookConfiguration({ name: 'test' });
    await registered({ ...wrong, failurePolicy: 'Ignore' });
    expect((await create()).metadata?.name).toBe('a');
  });

  it.each<[object, number, string]>([
    [{ allowed: false }, 400, 'admission webhook "a.example.com" denied the request without explanation'],
    [
      { allowed: false, status: { code: 200, message: 'no' } },
      400,
      'admission webhook "a.example.com" denied the request: no',
    ],
    [
      { allowed: false, status: { code: 403, reason: 'Forbidden' } },
      403,
      'admission webhook "a.example.com" denied the request: Forbidden',
    ],
  ])('that deny with %j are obeyed, validating ones too', async (said, code, message) => {
    say = () => said;
    await registered({}, 'Validating');
    expect(await refusal(create())).toMatchObject({ code, message });
  });

  it('cannot patch if they only validate', async () => {
    say = () => label('x');
    await registered({}, 'Validating');
    expect(await refusal(create())).toMatchObject({
      code: 500,
      message: expect.stringContaining('a mutating webhook'),
    });
  });

  it('warn in headers, truncated and without control characters', async () => {
    say = () => ({ allowed: true, warnings: ['a "quoted"\nline', 'ünïcode', 'x'.repeat(5000)] });
    await registered();
    const { warnings = '' } = await createRaw({ ...pod('a'), metadata: { name: 'a' } });
    expect(warnings).toContain('299 - "a \\"quoted\\" line"');
    expect(Buffer.from(warnings, 'latin1').toString('utf8')).toContain('299 - "ünïcode"');
    expect(warnings).toContain(`299 - "${'x'.repeat(256)}"`);
  });

  it.each<[string, object]>([
    ['plain HTTP', { clientConfig: { url: 'http://127.0.0.1/' } }],
    ['no address', { clientConfig: {} }],
    ['an unknown review version', { admissionReviewVersions: ['v1beta1'] }],
    ['side effects', { sideEffects: 'Some' }],
  ])('are not registered with %s', async (_what, change) => {
    expect(await refusal(registered(change))).toMatchObject({ code: 422 });
  });
});

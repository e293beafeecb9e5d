import { PassThrough } from 'node:stream';
import type { KubernetesObject, V1PolicyRule, V1Role } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { startFallback } from '../agent/fallback.ts';
import { watchOtherPlugin } from '../agent/other-plugin.ts';
import { crash } from '../engine/testing/healthy-pod.ts';
import { createModelledClock } from '../engine/testing/modelled-clock.ts';
import { createWorld, podNamed, volumeNamed } from '../engine/testing/world.ts';
import { type ApiCall, observeRequests, toApiCall } from '../kubernetes/api-call.ts';
import { placeByNodeLabel, runtimeTypes } from '../kubernetes/daemon-placement.ts';
import { createEventSender } from '../kubernetes/event-sender.ts';
import { watchKubernetes } from '../kubernetes/kubernetes.ts';
import { claimObject, volumeObject } from '../kubernetes/testing/bound-claim.ts';
import { ApiError, type ApiRequest, type Transport } from '../kubernetes/transport.ts';
import { createCertificateManager, createSecretStore } from '../webhook/certificate.ts';
import { register } from '../webhook/registration.ts';
import { eci, pod } from '../webhook/testing/sample-pods.ts';
import { watchFacts } from '../webhook/watch-facts.ts';
import { agentAccess, besideAccess, webhookAccess } from './access.ts';
import { defaultOptions, names } from './options.ts';

const clock = createModelledClock();
const quiet = { clock, random: () => 0, onError: () => {}, onRecovered: () => {} };
const watched = { ...quiet, mountRoot: '/runtime-mnt' };
const namespace = names.namespace;

/** A pod that uses a claim. */
const podOf = (claimName: string) => ({
  metadata: { namespace: 'default', name: 'app', uid: 'u1' },
  spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }], containers: [] },
});

/** An API server that has the given objects and records requests. Other lists are empty, and watches are silent. */
function createRecordingTransport(objects: Readonly<Record<string, unknown>> = {}): {
  readonly transport: Transport;
  readonly calls: readonly ApiCall[];
} {
  const calls: ApiCall[] = [];
  const transport: Transport = {
    async json(request: ApiRequest) {
      const [path = ''] = request.path.split('?');
      if (path in objects) return objects[path];
      if (request.method !== 'GET') return {};
      const { name } = toApiCall(request);
      if (name !== undefined && !request.path.includes('?')) throw new ApiError(404, request, 'not found');
      return { metadata: { resourceVersion: '1' }, items: [] };
    },
    async stream(request) {
      const body = new PassThrough();
      request.signal.addEventListener('abort', () => body.destroy(request.signal.reason as Error));
      return body as never;
    },
  };
  return { transport: observeRequests(transport, (call) => void calls.push(call)), calls };
}

type Recording = ReturnType<typeof createRecordingTransport>;

const watches = ({ calls }: Recording, count: number) =>
  expect.poll(() => calls.filter(({ verb }) => verb === 'watch').length).toBeGreaterThanOrEqual(count);

const recover = (recording: Recording) => recoverWith(recording, { allVolumes: false });
const recoverByAllVolumes = (recording: Recording) => recoverWith(recording, { allVolumes: true });

async function recoverWith(recording: Recording, { allVolumes }: { readonly allVolumes: boolean }): Promise<void> {
  const { transport } = recording;
  await using kubernetes = watchKubernetes({ ...watched, allVolumes, transport, nodeName: 'node-1' });
  await kubernetes.synced;
  const signal = new AbortController().signal;
  const sender = createEventSender({
    ...{ transport, nodeName: 'node-1', signal, clock },
    randomHex: () => 'cafe',
    now: () => new Date(0),
  });
  const object = { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', namespace: 'default', name: 'demo' };
  const draft = { type: 'Normal', reason: 'FuseRecoverSucceed', message: 'read again', object } as const;
  const seen = { count: 1, first: new Date(0), last: new Date(0) };
  const name = await sender.create(draft, seen);
  await sender.count(draft, name, { ...seen, count: 2 });
  await watches(recording, allVolumes ? 2 : 1);
}

/** Stages and unstages a volume of each kind of runtime. `credentials`: with which the node is patched. */
async function place({ transport }: Recording, credentials: 'kubelet' | 'account'): Promise<void> {
  const { signal } = new AbortController();
  for (const type of runtimeTypes) {
    const volumeContext = { runtime_namespace: 'default', runtime_name: 'demo' };
    const objects: Transport['json'] = async (request) => ({
      ...((await transport.json(request).catch(() => ({}))) as object),
      ...(request.path.includes('/persistentvolumes/') ? volumeObject({}, volumeContext) : {}),
      ...(request.path.includes('/datasets/') ? { status: { runtimes: [{ type }] } } : {}),
      ...(request.path.includes('runtimes/') ? { spec: { fuse: { cleanPolicy: 'OnDemand' } } } : {}),
    });
    const placement = placeByNodeLabel({
      nodeName: 'node-1',
      transport: { json: objects },
      nodeTransport: () => (credentials === 'account' ? transport : createRecordingTransport().transport),
      hostMounts: () => ({ ok: true, value: [] }),
    });
    await placement.request({ volumeId: 'default-demo', volumeContext }, signal);
    await placement.withdraw('default-demo', signal);
  }
}

const placeByKubelet = (recording: Recording) => place(recording, 'kubelet');
const placeByAccount = (recording: Recording) => place(recording, 'account');

/** One eviction, for which a pod's namespace asks. */
async function fallBack({ transport }: Recording): Promise<void> {
  await using world = createWorld();
  world.volumes.push(volumeNamed('demo', { accessModes: ['ReadWriteMany'] }));
  world.serve('demo');
  world.run(podNamed('app', [{}], { restartPolicy: 'Always', controller: { kind: 'ReplicaSet', name: 's' } }));
  world.engine.start();
  await world.clock.settle();
  const asks = { metadata: { annotations: { 'rekindle.dev/fallback': 'evict' } } };
  await using _ = startFallback({
    engine: world.engine,
    kubernetes: { view: () => ({ volumes: world.volumes, pods: world.pods }) },
    kernel: { containers: () => [], endContainer: () => ({ ok: true, value: undefined }) },
    transport: { json: async (request) => ({ ...((await transport.json(request)) as object), ...asks }) },
    clock: world.clock,
    recorder: () => {},
  });
  crash(world);
  await world.clock.advance(1_000);
  world.serve('demo');
  await world.clock.advance(12_000);
}

async function watchPlugin(recording: Recording): Promise<void> {
  const { transport } = recording;
  const plugin = { namespace, name: names.agent };
  await using other = watchOtherPlugin({ ...quiet, transport, plugin, onChange: () => {} });
  await other.synced;
  await watches(recording, 2);
}

async function admit(recording: Recording): Promise<void> {
  const { transport } = recording;
  await using facts = watchFacts({ ...watched, transport });
  await facts.synced;
  await facts.factsFor({ namespace: 'default', pod: pod({ labels: eci }).pod });
  const store = createSecretStore(transport, { namespace, name: names.certificates });
  await createCertificateManager({ names: ['fluid-webhook'], store, now: () => new Date() }).current();
  await register(transport, { service: { namespace, name: names.webhook, port: 443 } }, 'AAAA');
  await watches(recording, 3);
}

/** The rules of all roles, with the namespace that they are limited to. */
function granted(objects: readonly KubernetesObject[]) {
  return objects.flatMap((object) => {
    const { rules = [] } = object as V1Role;
    const within = object.kind === 'Role' ? object.metadata?.namespace : undefined;
    return rules.map((rule: V1PolicyRule) => ({ rule, within }));
  });
}

const passes = ({ rule, within }: ReturnType<typeof granted>[number], call: ApiCall) =>
  allows(rule, call) && (within === undefined || within === call.namespace);

/** Whether a rule permits a call. */
function allows(rule: V1PolicyRule, { verb, group, resource, name }: ApiCall): boolean {
  return (
    rule.verbs.includes(verb) &&
    rule.apiGroups?.includes(group) === true &&
    rule.resources?.includes(resource) === true &&
    (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name)))
  );
}

/** The individual rights of a rule: one verb on one resource, with one name if the rule has names. */
function rightsOf({ verbs, apiGroups = [], resources = [], resourceNames = [undefined as never] }: V1PolicyRule) {
  return verbs.flatMap((verb) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => resourceNames.map((name) => ({ verb, group, resource, name }))),
    ),
  );
}

const readWriteScope = (...agentArgs: readonly string[]) => ({ ...defaultOptions, agentArgs });

it.each([
  ['agent', agentAccess(defaultOptions), [recover, placeByKubelet]],
  [
    'agent that patches its node itself',
    agentAccess(readWriteScope('--patch-nodes=account')),
    [recover, placeByAccount],
  ],
  [
    'agent with all volumes in scope',
    agentAccess(readWriteScope('--read-write-scope=cluster')),
    [recoverByAllVolumes, placeByKubelet],
  ],
  [
    'agent with all volumes in scope',
    agentAccess(readWriteScope('--read-write-scope', 'cluster')),
    [recoverByAllVolumes, placeByKubelet],
  ],
  ['agent with volumes in scope', agentAccess(readWriteScope('--read-write-scope=volume')), [recover, placeByKubelet]],
  ['agent with fallbacks', agentAccess(readWriteScope('--fallback=annotated')), [recover, placeByKubelet, fallBack]],
  ['agent alongside another', besideAccess(defaultOptions), [recover, watchPlugin]],
  ['webhook', webhookAccess(defaultOptions), [admit]],
])('grants the %s exactly what it requests', async (_, objects, parts) => {
  const recording = createRecordingTransport({
    '/api/v1/namespaces/default': {},
    '/api/v1/pods': { metadata: { resourceVersion: '1' }, items: [podOf('demo')] },
    '/api/v1/namespaces/default/persistentvolumeclaims/demo': claimObject,
    '/api/v1/persistentvolumes/default-demo': volumeObject(),
    [`/api/v1/namespaces/${namespace}/secrets/${names.certificates}`]: { metadata: { resourceVersion: '1' } },
  });
  for (const part of parts) await part(recording);
  // All authenticated users may ask for the version (role system:public-info-viewer).
  const calls = recording.calls.filter(({ resource }) => resource !== '');
  const grants = granted(objects);
  expect(calls.filter((call) => !grants.some((grant) => passes(grant, call)))).toEqual([]);

  const unused = grants.flatMap(({ rule, within }) =>
    rightsOf(rule).filter(
      ({ verb, group, resource, name }) =>
        !calls.some(
          (call) =>
            [call.verb, call.group, call.resource].join() === [verb, group, resource].join() &&
            (name === undefined || name === call.name) &&
            (within === undefined || within === call.namespace),
        ),
    ),
  );
  expect(unused).toEqual([]);
});

import type { CoreV1Event, KubernetesObject, V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { liveGate } from './agent-daemonset.ts';
import { formatTitle } from './api.ts';
import { deployThrough } from './deploy.ts';
import { CannotDeploy } from './errors.ts';
import { manifests } from './manifests.ts';
import { defaultOptions } from './options.ts';
import { removeObjects } from './remove.ts';
import { createFakeApi, type FakeApi } from './testing/fake-api.ts';

const agent = 'daemonset/csi-nodeplugin-fluid';

function deployOn(api: FakeApi, options: Partial<Parameters<typeof deployThrough>[1]> = {}) {
  const progress: string[] = [];
  const { signal } = new AbortController();
  const defaults = {
    namespace: 'fluid-system',
    image: 'rekindle/agent:1',
    signal,
    onProgress: (line: string) => void progress.push(line),
  };
  return deployThrough(api, { ...defaults, ...options }).then((deployed) => ({ ...deployed, progress }));
}

/** Turns the gate on like the document's sed. */
function turnOn(api: FakeApi): void {
  const text = JSON.stringify(api.objects.get(agent)).replaceAll('FuseRecovery=false', 'FuseRecovery=true');
  const object = JSON.parse(text) as KubernetesObject;
  api.objects.set(agent, { ...object, metadata: { ...object.metadata, resourceVersion: `${Math.random()}` } });
}

/** A node plugin of the same name that is not Rekindle's. */
function foreignPlugin(gate: boolean): KubernetesObject {
  const containers = [{ name: 'plugins', args: ['--v=5', `--feature-gates=FuseRecovery=${gate}`] }];
  const metadata = { name: 'csi-nodeplugin-fluid', namespace: 'fluid-system' };
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { template: { spec: { containers } } } } as never;
}

/** A pod on node-1 that waits for its image. */
function withoutImage(image: string): V1Pod {
  const waiting = { reason: 'ErrImagePull', message: 'not found' };
  return {
    metadata: { name: `pod-of-${image.split('/')[0]}` },
    spec: { nodeName: 'node-1', containers: [{ name: 'plugins', image }] },
    status: { containerStatuses: [{ name: 'plugins', state: { waiting } }] },
  } as never;
}

const refused = 'failed calling webhook "fuse.serverful.fluid.io": connection refused';

describe('deploy', () => {
  it('waits until the API server reaches the webhook, and prints what it waits for', async () => {
    const api = createFakeApi();
    const answers = [refused, refused, undefined];
    api.askedWebhook = () => answers.shift();
    const { progress } = await deployOn(api);
    expect(progress.filter((line) => line.includes('API server'))).toEqual([
      `waiting until the API server reaches the webhook: ${refused}`,
      'the API server reaches the webhook',
    ]);
  });

  it('removes webhook configurations that would refuse pods if the API server never reaches the webhook', async () => {
    const api = createFakeApi();
    api.askedWebhook = () => refused;
    const failed = deployOn(api, { timeoutMs: 1 });
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining(refused) });
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('--webhook-host-network') });
    const kinds = [...api.objects.values()].map(({ kind }) => kind);
    expect(kinds).toContain('Deployment');
    expect(kinds.filter((kind) => kind?.endsWith('WebhookConfiguration'))).toEqual([]);
  });

  it('asks no webhook beside another plugin, as it deploys none', async () => {
    const api = createFakeApi();
    api.askedWebhook = () => refused;
    const { progress } = await deployOn(api, { beside: true });
    expect(progress.join()).not.toContain('webhook');
  });

  it('creates everything, and changes nothing the second time', async () => {
    const api = createFakeApi();
    const all = manifests(defaultOptions).length;
    expect((await deployOn(api)).changed).toHaveLength(all);
    expect(await deployOn(api)).toEqual({
      changed: [],
      incomplete: [],
      progress: expect.arrayContaining([`${agent} unchanged`, `${agent} ready`]),
    });
  });

  it('reports what another image changes', async () => {
    const api = createFakeApi();
    await deployOn(api);
    const { changed } = await deployOn(api, { image: 'rekindle/agent:2' });
    expect(changed).toEqual([`${agent} configured`, 'deployment/fluid-webhook configured']);
  });

  it('keeps the gate that an administrator turned on, whatever else it changes', async () => {
    const api = createFakeApi();
    await deployOn(api);
    turnOn(api);
    expect((await deployOn(api)).changed).toEqual([]);
    await deployOn(api, { image: 'rekindle/agent:2', agentArgs: ['--sub-path=recover'] });
    expect(liveGate(api.objects.get(agent))).toBe(true);
    const { args } = (api.objects.get(agent) as V1DaemonSet).spec?.template.spec?.containers[0] ?? {};
    expect(args).toContain('--sub-path=recover');
  });

  it('turns recovery and standbys on if standbys are asked for, and keeps them from then on', async () => {
    const api = createFakeApi();
    await deployOn(api);
    const gates = () => {
      const { args } = (api.objects.get(agent) as V1DaemonSet).spec?.template.spec?.containers[0] ?? {};
      return args?.filter((argument) => argument.startsWith('--feature-gates='));
    };
    await deployOn(api, { furtherGates: ['FuseStandby'] });
    expect(gates()).toEqual(['--feature-gates=FuseRecovery=true,FuseStandby=true']);
    await deployOn(api, { image: 'rekindle/agent:2' });
    expect(gates()).toEqual(['--feature-gates=FuseRecovery=true,FuseStandby=true']);
  });

  it('deploys a keeper with takeover, and updates it later without being asked again', async () => {
    const api = createFakeApi();
    const image = (title: string) => (api.objects.get(title) as V1DaemonSet).spec?.template.spec?.containers[0]?.image;
    await deployOn(api, { furtherGates: ['FuseTakeover'] });
    await deployOn(api, { image: 'rekindle/agent:2' });
    const { args } = (api.objects.get(agent) as V1DaemonSet).spec?.template.spec?.containers[0] ?? {};
    expect(args).toContain('--feature-gates=FuseRecovery=true,FuseTakeover=true');
    expect(image(agent.replace('csi-nodeplugin-fluid', 'rekindle-keeper'))).toBe('rekindle/agent:2');
  });

  it('keeps a gate that is turned on during the deployment', async () => {
    const api = createFakeApi();
    await deployOn(api);
    let turned = false;
    api.beforeApply = ({ kind }) => {
      if (kind === 'DaemonSet' && !turned) turnOn(api);
      turned ||= kind === 'DaemonSet';
    };
    await deployOn(api, { image: 'rekindle/agent:2' });
    expect(liveGate(api.objects.get(agent))).toBe(true);
  });

  it('changes nothing in a dry run, and reports what it would change', async () => {
    const api = createFakeApi();
    const all = manifests(defaultOptions).length;
    expect((await deployOn(api, { dryRun: true })).changed).toHaveLength(all);
    expect(api.objects.size).toBe(0);
    await deployOn(api);
    const { changed } = await deployOn(api, { dryRun: true, image: 'rekindle/agent:2' });
    expect(changed).toEqual([`${agent} configured`, 'deployment/fluid-webhook configured']);
    expect((await deployOn(api)).changed).toEqual([]);
  });

  it("refuses before any change if another Fluid's objects have the names", async () => {
    const api = createFakeApi([foreignPlugin(false)]);
    await expect(deployOn(api)).rejects.toMatchObject({
      code: 'CANNOT_DEPLOY',
      what: expect.stringContaining(agent),
      remedy: expect.stringContaining('helm uninstall fluid'),
    });
    expect(api.objects.size).toBe(1);
  });

  it('leaves an existing namespace unchanged', async () => {
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'fluid-system', labels: { team: 'a' } },
    };
    const api = createFakeApi([namespace]);
    const { changed } = await deployOn(api);
    expect(changed).not.toContain('namespace/fluid-system configured');
    expect(api.objects.get('namespace/fluid-system')?.metadata?.labels).toEqual({ team: 'a' });
  });

  it('names the image that cannot be pulled', async () => {
    const api = createFakeApi();
    api.statuses.set(agent, { desiredNumberScheduled: 1 });
    api.pods = [withoutImage('older/x:1'), withoutImage('nowhere/x:1')];
    const failed = deployOn(api, { image: 'nowhere/x:1' });
    await expect(failed).rejects.toMatchObject({
      what: 'pod-of-nowhere on node-1: ErrImagePull: not found',
      remedy: expect.stringContaining('load nowhere/x:1 into the nodes'),
    });
  });

  it('continues if only one node cannot pull the image', async () => {
    const api = createFakeApi();
    api.statuses.set(agent, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 1 });
    api.pods = [withoutImage('slow/x:1'), { ...withoutImage('slow/x:1'), status: {} }];
    const { incomplete } = await deployOn(api, { image: 'slow/x:1', timeoutMs: 1 });
    expect(incomplete).toEqual([`${agent}: 1 of 2 ready; pod-of-slow on node-1: ErrImagePull: not found`]);
  });

  it('removes what it created if the API server refuses an object', async () => {
    const api = createFakeApi();
    api.beforeApply = ({ kind }) => {
      if (kind === 'Deployment') throw new CannotDeploy('cannot apply', 'ask for the right to');
    };
    await expect(deployOn(api)).rejects.toThrow('cannot apply');
    expect(api.objects.size).toBe(0);
  });
});

describe('a cluster that is not all well', () => {
  const timeoutMs = 1;
  const webhookPods = { replicas: 2, updatedReplicas: 2, readyReplicas: 2 };

  const node = (name: string, isReady: boolean): V1Node => ({
    metadata: { name },
    status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'Unknown' }] },
  });

  /** A pod of the agent that is not ready. */
  const unready = (nodeName: string, phase = 'Pending'): V1Pod => ({
    metadata: { name: `agent-on-${nodeName}`, namespace: 'fluid-system' },
    spec: { nodeName, containers: [] },
    status: { phase },
  });

  const warning = (kind: string, name: string, message: string): CoreV1Event => ({
    metadata: {},
    involvedObject: { kind, name },
    reason: 'FailedCreate',
    message,
  });

  it('is deployed in part, without delay, if all that is missing are pods on nodes that are not ready', async () => {
    const api = createFakeApi();
    api.statuses.set(agent, { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 2 });
    api.nodes = [node('a', true), node('b', true), node('c', false)];
    api.pods = [unready('c')];
    const { incomplete } = await deployOn(api, { timeoutMs: 2 ** 30 });
    expect(incomplete).toEqual([`${agent}: 2 of 3 ready; node c is not ready`]);
    expect(api.objects.size).toBe(manifests(defaultOptions).length);
  });

  it('waits for pods on nodes that are ready, whatever the others do', async () => {
    const api = createFakeApi();
    api.statuses.set(agent, { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 1 });
    api.nodes = [node('a', true), node('b', true), node('c', false)];
    api.pods = [unready('b'), unready('c')];
    const ready = { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 2 };
    const listNodes = api.listNodes;
    let polls = 0;
    api.listNodes = async () => {
      polls++;
      if (polls === 3) {
        api.setStatus(agent, ready);
        api.pods = [unready('c')];
      }
      return listNodes.call(api);
    };
    expect((await deployOn(api, { timeoutMs: 2 ** 30 })).incomplete).toEqual([
      `${agent}: 2 of 3 ready; node c is not ready`,
    ]);
    expect(polls).toBeGreaterThan(3);
  });

  it('is complete once the node is back and the command is run again', async () => {
    const api = createFakeApi();
    api.statuses.set(agent, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 1 });
    api.nodes = [node('a', true), node('b', false)];
    api.pods = [unready('b')];
    expect((await deployOn(api)).incomplete).toHaveLength(1);
    api.statuses.clear();
    api.setStatus(agent, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 2 });
    api.pods = [];
    expect(await deployOn(api)).toMatchObject({ changed: [], incomplete: [] });
  });

  it.each([
    ['a quota', agent, { desiredNumberScheduled: 2 }, 'DaemonSet', 'csi-nodeplugin-fluid', /^exceeded quota/],
    ['admission', 'deployment/fluid-webhook', {}, 'ReplicaSet', 'fluid-webhook-6d5f', /^violates PodSecurity/],
  ])('shows the event that says why %s creates no pod, and keeps everything for a second run', async (...row) => {
    const [, title, status, kind, name, message] = row;
    const api = createFakeApi();
    api.statuses.set(title, status);
    const text = message.source.slice(1);
    const attempt = (pod: string) => `(combined from similar events): pods "${pod}" is forbidden: ${text}`;
    api.events = [
      warning(kind, name, attempt('a-1')),
      warning('Pod', `${name}-gone`, 'FailedMount'),
      warning(kind, name, attempt('a-2')),
    ];
    const failed = deployOn(api, { timeoutMs });
    await expect(failed).rejects.toMatchObject({
      what: expect.stringContaining(`; FailedCreate: a pod is forbidden: ${text}`),
    });
    await expect(failed).rejects.toMatchObject({
      what: expect.not.stringMatching(/FailedMount|FailedCreate.*FailedCreate/),
    });
    const kept = manifests(defaultOptions).filter(
      (object) => title === agent || !object.kind?.endsWith('WebhookConfiguration'),
    );
    expect([...api.objects.keys()].toSorted()).toEqual(kept.map(formatTitle).toSorted());
    api.statuses.clear();
    api.setStatus(title, { ...webhookPods, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 1 });
    expect((await deployOn(api)).incomplete).toEqual([]);
  });

  it('says what an agent waits for that runs and is not ready', async () => {
    const api = createFakeApi();
    api.statuses.set(agent, { desiredNumberScheduled: 1, updatedNumberScheduled: 1 });
    api.nodes = [node('a', true)];
    api.pods = [unready('a', 'Running')];
    api.answers.set('agent-on-a', 'waiting for the kubelet to register the driver\n');
    const what = expect.stringContaining('agent-on-a on a: waiting for the kubelet to register the driver');
    await expect(deployOn(api, { timeoutMs })).rejects.toMatchObject({ what });
  });
});

describe("the kubelets' directory", () => {
  const root = (api: FakeApi) =>
    (api.objects.get(agent) as V1DaemonSet).spec?.template.spec?.containers[0]?.env?.find(
      ({ name }) => name === 'KUBELET_ROOTDIR',
    )?.value;
  const node = (name: string, args?: readonly string[], isReady = true): V1Node => ({
    status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'Unknown' }] },
    metadata: { name, ...(args && { annotations: { 'k3s.io/node-args': JSON.stringify(args) } }) },
  });

  it.each<[string, (api: FakeApi) => void, string]>([
    ['is the usual one if no kubelet reports it', () => {}, '/var/lib/kubelet'],
    [
      'is the one that all kubelets report',
      (api) => {
        api.flagz.set('a', 'kubelet flags\n\nv=2\nroot-dir=/data/kubelet\n');
        api.flagz.set('b', 'root-dir=/data/kubelet');
      },
      '/data/kubelet',
    ],
    [
      'is among the arguments that K3s records',
      (api) => {
        api.nodes = [node('a', ['server', '--kubelet-arg', 'root-dir=/srv/kubelet'])];
      },
      '/srv/kubelet',
    ],
  ])('%s', async (_, arrange, expected) => {
    const api = createFakeApi();
    api.nodes = [node('a'), node('b')];
    arrange(api);
    await deployOn(api);
    expect(root(api)).toBe(expected);
  });

  it('is not asked of kubelets that are away', async () => {
    const api = createFakeApi();
    api.nodes = [node('a', undefined, false)];
    api.kubeletFlags = () => new Promise(() => {});
    await deployOn(api);
    expect(root(api)).toBe('/var/lib/kubelet');
  });

  it('must be the same on all nodes, or be named', async () => {
    const api = createFakeApi();
    api.nodes = [node('a'), node('b', ['agent', '--kubelet-arg=root-dir=/srv/kubelet'])];
    api.flagz.set('a', 'root-dir=/var/lib/kubelet');
    await expect(deployOn(api)).rejects.toMatchObject({
      what: expect.stringMatching(/differ: .*\/srv\/kubelet on b/),
      remedy: expect.stringContaining('--kubelet-root'),
    });
    expect(api.objects.size).toBe(0);
    await deployOn(api, { placement: { kubeletRoot: '/kubelet' } });
    expect(root(api)).toBe('/kubelet');
  });
});

describe('deploy alongside another node plugin', () => {
  it('leaves the other one unchanged', async () => {
    const api = createFakeApi([foreignPlugin(false)]);
    const before = api.objects.get(agent);
    const { changed } = await deployOn(api, { beside: true, namespace: 'rekindle-system' });
    expect(changed).toContain('daemonset/rekindle-recovery created');
    expect(api.objects.get(agent)).toBe(before);
    expect(liveGate(api.objects.get('daemonset/rekindle-recovery'))).toBe(true);
  });

  it.each([
    ['the other one recovers by itself', [foreignPlugin(true)], /recovers by itself/],
    ['it is our own', manifests(defaultOptions), /Rekindle's own/],
  ])('refuses if %s', async (_, objects, message) => {
    const api = createFakeApi(objects);
    const there = api.objects.size;
    await expect(deployOn(api, { beside: true, namespace: 'rekindle-system' })).rejects.toThrow(message);
    expect(api.objects.size).toBe(there);
  });
});

describe('remove', () => {
  const { signal } = new AbortController();
  const objects = manifests(defaultOptions);

  it('removes all own objects, the namespace last, and nothing the second time', async () => {
    const api = createFakeApi();
    await deployOn(api);
    const removed = await removeObjects({ api, objects, signal, onProgress: () => {} });
    expect(removed).toHaveLength(objects.length);
    expect(removed.at(-1)).toBe('namespace/fluid-system');
    expect(api.objects.size).toBe(0);
    expect(await removeObjects({ api, objects, signal, onProgress: () => {} })).toEqual([]);
  });

  it('leaves foreign objects', async () => {
    const api = createFakeApi([foreignPlugin(true)]);
    const progress: string[] = [];
    expect(await removeObjects({ api, objects, signal, onProgress: (line) => void progress.push(line) })).toEqual([]);
    expect(progress).toEqual([`${agent} left: is not Rekindle's`]);
  });
});

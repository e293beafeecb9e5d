import type { KubernetesObject, V1DaemonSet, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { liveGate } from './agent-daemonset.ts';
import { deployThrough } from './deploy.ts';
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
  return deployThrough(api, { ...defaults, ...options }).then(({ changed }) => ({ changed, progress }));
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

describe('deploy', () => {
  it('creates everything, and changes nothing the second time', async () => {
    const api = createFakeApi();
    const all = manifests(defaultOptions).length;
    expect((await deployOn(api)).changed).toHaveLength(all);
    expect(await deployOn(api)).toEqual({
      changed: [],
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
    await deployOn(api, { standby: true });
    expect(gates()).toEqual(['--feature-gates=FuseRecovery=true,FuseStandby=true']);
    await deployOn(api, { image: 'rekindle/agent:2' });
    expect(gates()).toEqual(['--feature-gates=FuseRecovery=true,FuseStandby=true']);
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

  it('names the image that cannot be pulled, and removes what it created', async () => {
    const api = createFakeApi();
    const apply = api.apply;
    api.apply = async (object, how) => {
      const applied = await apply.call(api, object, how);
      const unready = { ...applied, status: { desiredNumberScheduled: 1 } };
      if (object.kind === 'DaemonSet') api.objects.set(agent, unready as KubernetesObject);
      return applied;
    };
    api.pods = [withoutImage('older/x:1'), withoutImage('nowhere/x:1')];
    const failed = deployOn(api, { image: 'nowhere/x:1' });
    await expect(failed).rejects.toMatchObject({
      what: 'pod-of-nowhere on node-1: ErrImagePull: not found',
      remedy: expect.stringContaining('load nowhere/x:1 into the nodes'),
    });
    // The pod is foreign, so its namespace stays.
    expect([...api.objects.keys()]).toEqual(['namespace/fluid-system']);
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

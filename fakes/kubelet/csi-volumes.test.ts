import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { V1Pod, V1Volume } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CsiCallError } from '../../recovery/csi/client.ts';
import type { CsiNode, VolumeRequest } from './csi-volumes.ts';
import { kubeletPaths, setUpVolume, type VolumeContext } from './volumes.ts';

/** What the kubelet of Kubernetes 1.34.4 wrote for this pod on a kind node, with the names that this test has, too. */
const uid = 'be753262-5b89-47e9-89c1-48c9ae56cd7d';
const nodeName = 'sandboxfacts-control-plane';
const driver = 'fuse.csi.fluid.io';
const recorded = {
  claim:
    '{"attachmentID":"csi-99618721297cc293d0c71291b5192cc51f0d36ecbb8856a5445efa7e78de31ec","driverName":"fuse.csi.fluid.io","nodeName":"sandboxfacts-control-plane","specVolID":"default-demo","volumeHandle":"default-demo","volumeLifecycleMode":"Persistent"}\n',
  inline:
    '{"attachmentID":"csi-de22eb588c0ae086e05cf532d573355fe42f8261c95245d0c369c129258521ea","driverName":"fuse.csi.fluid.io","nodeName":"sandboxfacts-control-plane","specVolID":"in","volumeHandle":"csi-e85814b5b5fec432b10166fc6f5224d30bbe000f7ff8f149faf32d518dd7fce6","volumeLifecycleMode":"Ephemeral"}\n',
};
const pod: V1Pod = { metadata: { name: 'p', namespace: 'default', uid }, spec: { containers: [] } };
const claim: V1Volume = { name: 'd', persistentVolumeClaim: { claimName: 'demo' } };
const inline: V1Volume = { name: 'in', csi: { driver } };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rekindle-kubelet-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A driver that creates and removes target paths, as it must; each call can be made to fail. */
function driverWith(calls: Partial<CsiNode> = {}): CsiNode {
  return {
    stage: async () => {},
    publish: async ({ targetPath }) => void mkdirSync(targetPath),
    unpublish: async ({ targetPath }) => rmdirSync(targetPath),
    unstage: async () => {},
    readStats: async () => false,
    ...calls,
  };
}

function setUp(volume: V1Volume, csi: CsiNode, differences: Partial<VolumeContext> = {}) {
  const pv = { csi: { driver, volumeHandle: 'default-demo' }, accessModes: ['ReadOnlyMany'] };
  const api = {
    readNamespacedPersistentVolumeClaim: async () => ({ spec: { volumeName: 'default-demo' } }),
    readPersistentVolume: async () => ({ spec: pv }),
  } as unknown as VolumeContext['api'];
  const { signal: stopped } = new AbortController();
  const context = { api, csi, paths: kubeletPaths(root), nodeName, pod, uid, runtime: {} as never };
  return setUpVolume({ ...context, clockScale: 1, stopped, ...differences }, volume);
}

const dataOf = (targetPath: string) => join(dirname(targetPath), 'vol_data.json');

it.each([
  ['a claim', claim, recorded.claim],
  ['an inline volume', inline, recorded.inline],
])(
  'writes what a real kubelet writes beside the target path of %s, before it is published',
  async (_, volume, file) => {
    let before: string | undefined;
    const publish: CsiNode['publish'] = async ({ targetPath }) => {
      before = readFileSync(dataOf(targetPath), 'utf8');
      mkdirSync(targetPath);
    };
    const { path } = await setUp(volume, driverWith({ publish }));
    expect(before).toBe(file);
    expect(readFileSync(dataOf(path), 'utf8')).toBe(file);
    expect((statSync(dataOf(path)).mode & 0o777).toString(8)).toBe('644');
    expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('750');
  },
);

it('keeps the file until the volume is unpublished, and removes it then', async () => {
  let during = false;
  const unpublish: CsiNode['unpublish'] = async ({ targetPath }) => {
    during = existsSync(dataOf(targetPath));
    rmdirSync(targetPath);
  };
  const volume = await setUp(inline, driverWith({ unpublish }));
  await volume.release();
  expect(during).toBe(true);
  expect(existsSync(dirname(volume.path))).toBe(false);
});

it('removes a target path that the driver has left', async () => {
  const volume = await setUp(inline, driverWith({ unpublish: async () => {} }));
  await volume.release();
  expect(existsSync(dirname(volume.path))).toBe(false);
});

const failure = (code: number) => async () => {
  throw new CsiCallError('NodePublishVolume', { code, details: 'no' } as never);
};

it.each([
  ['removes the file after a publish that failed for good', 3, false],
  ['keeps the file after a publish that may have succeeded', 4, true],
])('%s', async (_, code, isKept) => {
  await expect(setUp(inline, driverWith({ publish: failure(code) }))).rejects.toThrow('NodePublishVolume');
  expect(existsSync(dataOf(kubeletPaths(root).target(uid, 'in')))).toBe(isKept);
});

it('hands a stage call the attributes of the volume only, and a publish call those of the pod, too', async () => {
  const contexts: Record<string, string>[] = [];
  const note = async ({ volumeContext }: { volumeContext: Readonly<Record<string, string>> }) =>
    void contexts.push({ ...volumeContext });
  await setUp(claim, driverWith({ stage: note, publish: note }));
  expect(contexts).toEqual([
    {},
    {
      'csi.storage.k8s.io/pod.name': 'p',
      'csi.storage.k8s.io/pod.namespace': 'default',
      'csi.storage.k8s.io/pod.uid': uid,
      'csi.storage.k8s.io/serviceAccount.name': '',
      'csi.storage.k8s.io/ephemeral': 'false',
    },
  ]);
});

it('gives the stage call its secret, the publish call another, and both the mount options of the volume', async () => {
  const calls: unknown[] = [];
  const note = async ({ secrets, mountFlags }: VolumeRequest) => void calls.push({ secrets, mountFlags });
  const [nodeStageSecretRef, nodePublishSecretRef] = [{ name: 'stage', namespace: 'storage' }, { name: 'publish' }];
  const csi = { driver, volumeHandle: 'default-demo', nodeStageSecretRef, nodePublishSecretRef };
  const api = {
    readNamespacedPersistentVolumeClaim: async () => ({ spec: { volumeName: 'default-demo' } }),
    readPersistentVolume: async () => ({ spec: { csi, mountOptions: ['allow_other'] } }),
    readNamespacedSecret: async ({ name, namespace }: { name: string; namespace: string }) => ({
      data: { key: Buffer.from(`${namespace}/${name}`).toString('base64') },
    }),
  } as unknown as VolumeContext['api'];
  await setUp(claim, driverWith({ stage: note, publish: note }), { api });
  expect(calls).toEqual([
    { secrets: { key: 'storage/stage' }, mountFlags: ['allow_other'] },
    { secrets: { key: 'default/publish' }, mountFlags: ['allow_other'] },
  ]);
});

it('does not unpublish a volume again that could not be unstaged', async () => {
  const calls: string[] = [];
  const unpublish = async ({ targetPath }: { targetPath: string }) => {
    calls.push('unpublish');
    rmdirSync(targetPath);
  };
  const unstage = async () => {
    calls.push('unstage');
    if (calls.length < 3) throw new Error('busy');
  };
  const volume = await setUp(claim, driverWith({ unpublish, unstage }));
  await expect(volume.release()).rejects.toThrow('busy');
  await volume.release();
  expect(calls).toEqual(['unpublish', 'unstage', 'unstage']);
});

it('leaves an empty file if the node loses what was written', async () => {
  const { path } = await setUp(claim, driverWith(), { volumeData: 'empty' });
  expect(readFileSync(dataOf(path), 'utf8')).toBe('');
});

it('stages and publishes again with the same arguments when the kubelet has started again', async () => {
  const calls: unknown[] = [];
  const note = async (request: unknown) => void calls.push(request);
  const volume = await setUp(claim, driverWith({ stage: note, publish: note }));
  const first = calls.splice(0);
  rmSync(dataOf(volume.path));
  await volume.publishAgain?.();
  expect(calls).toEqual(first);
  expect(readFileSync(dataOf(volume.path), 'utf8')).toBe(recorded.claim);
});

it('asks for the stats of a published volume until it is released, and not a driver that has none', async () => {
  const asked: string[] = [];
  const answered = Promise.withResolvers<void>();
  const readStats = async ({ targetPath }: { targetPath: string }) => {
    asked.push(targetPath);
    answered.resolve();
    return false;
  };
  const { path } = await setUp(claim, driverWith({ readStats }));
  await answered.promise;
  expect(asked).toEqual([path]);
});

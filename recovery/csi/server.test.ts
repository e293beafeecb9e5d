import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis, Failure, Nanoseconds } from '../engine/model.ts';
import { volumeNamed } from '../engine/testing/world.ts';
import type { UnprovenSite } from '../engine/volume-state.ts';
import { placeByNodeLabel } from '../kubernetes/daemon-placement.ts';
import type { ApiRequest } from '../kubernetes/transport.ts';
import { type CsiClient, createCsiClient } from './client.ts';
import { createControllerService, createIdentityService } from './identity.ts';
import type { NodePublishRequest } from './messages.ts';
import { createNodeService } from './node.ts';
import { serveCsi } from './server.ts';
import type { GrpcServer } from './socket.ts';
import { FakeClock, FakeLocks, FakeNode } from './testing/fake-node.ts';

const source = '/runtime-mnt/jindo/default/demo/jindofs-fuse';
const target = '/var/lib/kubelet/pods/uid-1/volumes/kubernetes.io~csi/default-demo/mount';

const live = { status: 'live' } as const;
const dead = { status: 'dead', errno: 'ENOTCONN' } as const;
const hung = { status: 'hung', since: 1n as Nanoseconds } as const;
const unknown = { status: 'unknown', errno: 'EAGAIN' } as const;

const request: NodePublishRequest = {
  volumeId: 'default-demo',
  stagingTargetPath: '/var/lib/kubelet/plugins/kubernetes.io/csi/fuse.csi.fluid.io/x/globalmount',
  targetPath: target,
  volumeCapability: { mount: {}, accessMode: { mode: 'MULTI_NODE_READER_ONLY' } },
  readonly: false,
  volumeContext: { fluid_path: source },
};

let directory: string;
let node: FakeNode;
let clock: FakeClock;
let locks: FakeLocks;
let server: GrpcServer;
let client: CsiClient;
let defects: unknown[];
let unproven: UnprovenSite[];
/** Volumes and their devices. */
let replaced: string[][];
/** Of nodes. */
let patches: unknown[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rekindle-csi-'));
  node = new FakeNode();
  clock = new FakeClock();
  locks = new FakeLocks();
  defects = [];
  unproven = [];
  replaced = [];
  patches = [];
  server = await serve(`unix://${directory}/plugins/csi.sock`);
  client = createCsiClient(`unix://${server.path}`);
});

afterEach(async () => {
  client[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
  expect(defects).toEqual([]);
});

function serve(endpoint: string): Promise<GrpcServer> {
  const api = { json: async ({ body }: ApiRequest) => patches.push(body?.value) };
  return serveCsi({
    endpoint,
    identity: createIdentityService({ version: '1.2.3', ready: () => true }),
    node: createNodeService({
      nodeId: 'node-1',
      mountRoot: '/runtime-mnt',
      kubeletRoot: '/var/lib/kubelet',
      kernel: node,
      publisher: node,
      standby: true,
      locks,
      placement: placeByNodeLabel({
        nodeName: 'node-1',
        transport: api,
        nodeTransport: () => api,
        hostMounts: () => node.hostMounts(),
      }),
      unproven: () => unproven,
      onReplaced: (volume, devices) => void replaced.push([volume, ...devices.keys()]),
      clock,
    }),
    controller: createControllerService(),
    clock,
    onDefect: (_, error) => void defects.push(error),
  });
}

/** The status and message of a call, or `OK`. */
async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'OK',
    (error: Error) => error.message,
  );
}

const until = (condition: () => boolean) => expect.poll(condition, { interval: 2 }).toBe(true);

describe('the socket', () => {
  it('is created with its directory, and replaces a socket of a former instance', async () => {
    const path = join(directory, 'left.sock');
    const left = createServer().listen(path);
    await new Promise((resolve) => left.once('listening', resolve));
    await using again = await serve(`unix://${path}`);
    using other = createCsiClient(`unix://${path}`);
    expect(await other.nodeGetInfo({})).toMatchObject({ nodeId: 'node-1' });
    expect(again.path).toBe(path);
    left.close();
  });

  it('does not replace a file that is not a socket', async () => {
    const path = join(directory, 'file');
    writeFileSync(path, 'kept');
    await expect(serve(`unix://${path}`)).rejects.toThrow(`${path} exists and is not a socket`);
  });

  it.each(['tcp://127.0.0.1:1', 'unix://relative', ''])('rejects the endpoint "%s"', async (endpoint) => {
    await expect(serve(endpoint)).rejects.toThrow(`endpoint "${endpoint}" is not of the form unix:///path`);
  });
});

describe('Identity', () => {
  it('returns the name of the driver, no capabilities and readiness', async () => {
    expect(await client.getPluginInfo({})).toMatchObject({ name: 'fuse.csi.fluid.io', vendorVersion: '1.2.3' });
    expect((await client.getPluginCapabilities({})).capabilities).toEqual([]);
    expect((await client.probe({})).ready.value).toBe(true);
  });
});

describe('Controller', () => {
  it('echoes a volume with its parameters', async () => {
    const { volume } = await client.createVolume({
      name: 'v',
      volumeCapabilities: [{ mount: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } }],
      parameters: { fluid_path: source },
    });
    expect(volume).toMatchObject({ volumeId: 'v', volumeContext: { fluid_path: source } });
    expect(await outcome(client.createVolume({ name: 'v' }))).toContain('INVALID_ARGUMENT: CreateVolume: volume_cap');
    expect(await outcome(client.deleteVolume({}))).toContain('INVALID_ARGUMENT');
    expect(await outcome(client.deleteVolume({ volumeId: 'v' }))).toBe('OK');
  });
});

describe('Node', () => {
  it('returns the name of the node and its capabilities', async () => {
    expect(await client.nodeGetInfo({})).toMatchObject({ nodeId: 'node-1' });
    const { capabilities } = await client.nodeGetCapabilities({});
    expect(capabilities.map(({ rpc }) => rpc.type)).toEqual([
      'STAGE_UNSTAGE_VOLUME',
      'GET_VOLUME_STATS',
      'VOLUME_CONDITION',
    ]);
  });

  it.each<[string, Partial<NodePublishRequest>, string]>([
    ['volume_id', { volumeId: '' }, 'INVALID_ARGUMENT: NodePublishVolume: volume_id is not set'],
    ['target_path', { targetPath: '' }, 'INVALID_ARGUMENT: NodePublishVolume: target_path is not set'],
    ['volume_capability', { volumeCapability: null }, 'INVALID_ARGUMENT: NodePublishVolume: volume_capability is not'],
    ['staging_target_path', { stagingTargetPath: '' }, 'FAILED_PRECONDITION: NodePublishVolume: staging_target_path'],
    [
      'access mode',
      { volumeCapability: { mount: {} } },
      'INVALID_ARGUMENT: NodePublishVolume: volume_capability.access',
    ],
    ['fluid_path', { volumeContext: {} }, 'INVALID_ARGUMENT: NodePublishVolume: fluid_path is not set'],
  ])('rejects a publish without %s', async (_, change, message) => {
    node.mount({ path: source, device: '0:50' });
    expect(await outcome(client.nodePublishVolume({ ...request, ...change }))).toContain(message);
    expect(node.calls).toEqual([]);
  });

  it.each<[string, Partial<NodePublishRequest>, string]>([
    [
      'a block volume',
      { volumeCapability: { block: {}, accessMode: { mode: 'SINGLE_NODE_WRITER' } } },
      'FAILED_PRECONDITION: NodePublishVolume: this driver does not support block volumes',
    ],
    ['a relative target', { targetPath: 'pods/x' }, 'INVALID_ARGUMENT: NodePublishVolume: target_path "pods/x"'],
    ['a target outside', { targetPath: '/etc/cron.d' }, 'not a normalised path below /var/lib/kubelet'],
    ['a target that climbs out', { targetPath: '/var/lib/kubelet/../../etc' }, 'not a normalised path below'],
    ['a source outside', { volumeContext: { fluid_path: '/etc' } }, 'fluid_path "/etc" is not below /runtime-mnt'],
    [
      'a source that climbs out',
      { volumeContext: { fluid_path: '/runtime-mnt/../etc' } },
      'fluid_path "/runtime-mnt/../',
    ],
    [
      'a source in a directory with the same prefix',
      { volumeContext: { fluid_path: '/runtime-mnt2/a' } },
      'is not below /runtime-mnt',
    ],
    [
      'a subdirectory that climbs out',
      { volumeContext: { fluid_path: source, fluid_sub_path: '../../x' } },
      'INVALID_ARGUMENT: NodePublishVolume: fluid_sub_path "../../x"',
    ],
  ])('rejects a publish of %s', async (_, change, message) => {
    node.mount({ path: source, device: '0:50' });
    expect(await outcome(client.nodePublishVolume({ ...request, ...change }))).toContain(message);
    expect(node.calls).toEqual([]);
  });

  it.each([
    ['nodeStageVolume', { volumeId: 'v' }, 'staging_target_path is not set'],
    ['nodeStageVolume', { stagingTargetPath: '/s' }, 'volume_id is not set'],
    ['nodeStageVolume', { volumeId: 'v', stagingTargetPath: '/s' }, 'volume_capability is not set'],
    ['nodeUnstageVolume', { volumeId: 'v' }, 'staging_target_path is not set'],
    ['nodeUnstageVolume', { stagingTargetPath: '/s' }, 'volume_id is not set'],
    ['nodeUnpublishVolume', { volumeId: 'v' }, 'target_path is not set'],
    ['nodeUnpublishVolume', { targetPath: target }, 'volume_id is not set'],
    ['nodeUnpublishVolume', { volumeId: 'v', targetPath: '/home' }, 'not a normalised path below'],
    ['nodeGetVolumeStats', { volumeId: 'v' }, 'volume_path is not set'],
    ['nodeGetVolumeStats', { volumePath: target }, 'volume_id is not set'],
  ] as const)('%s of %j is an invalid argument', async (call, args, message) => {
    const refusal = await outcome(client[call](args));
    expect(refusal).toContain('INVALID_ARGUMENT');
    expect(refusal).toContain(message);
  });

  it('stages and unstages any number of times, and labels the node', async () => {
    const { volumeId, stagingTargetPath, volumeCapability = null } = request;
    const volumeContext = { mount_pod_node_selector_key: 'fluid.io/f-default-demo' };
    const staged = { volumeId, stagingTargetPath, volumeCapability, volumeContext };
    expect(await client.nodeStageVolume(staged)).toEqual({});
    expect(await client.nodeStageVolume(staged)).toEqual({});
    expect(patches).toEqual(Array(2).fill({ metadata: { labels: { 'fluid.io/f-default-demo': 'true' } } }));
    expect(await client.nodeUnstageVolume({ volumeId, stagingTargetPath })).toEqual({});
    expect(await client.nodeUnstageVolume({ volumeId, stagingTargetPath })).toEqual({});
  });
});

describe('NodePublishVolume', () => {
  it.each([
    ['MULTI_NODE_READER_ONLY', false, 'ro'],
    ['SINGLE_NODE_READER_ONLY', false, 'ro'],
    ['MULTI_NODE_MULTI_WRITER', true, 'ro'],
    ['MULTI_NODE_MULTI_WRITER', false, 'rw'],
  ] as const)('binds %s with readonly=%s as %s', async (mode, readonly, flag) => {
    node.mount({ path: source, device: '0:50' });
    const volumeCapability = { mount: {}, accessMode: { mode } };
    await client.nodePublishVolume({ ...request, volumeCapability, readonly });
    expect(node.calls).toEqual([`publish ${source} ${target} ${flag}`]);
  });

  it('binds the requested subdirectory', async () => {
    node.mount({ path: source, device: '0:50' });
    await client.nodePublishVolume({ ...request, volumeContext: { fluid_path: source, fluid_sub_path: '/a/b/' } });
    expect(node.stack(target)).toMatchObject([{ device: '0:50', root: '/a/b' }]);
  });

  it('rejects a missing subdirectory without waiting for it', async () => {
    node.mount({ path: source, device: '0:50' });
    node.missing.add(`${source}/a`);
    const volumeContext = { fluid_path: source, fluid_sub_path: 'a' };
    expect(await outcome(client.nodePublishVolume({ ...request, volumeContext }))).toContain('NOT_FOUND');
    expect(node.calls).toEqual([]);
  });

  it('is idempotent', async () => {
    node.mount({ path: source, device: '0:50' });
    await client.nodePublishVolume(request);
    await client.nodePublishVolume(request);
    expect(node.stack(target)).toHaveLength(1);
    expect(node.calls).toHaveLength(1);
  });

  it('rejects a target that is published with other access', async () => {
    node.mount({ path: source, device: '0:50' });
    node.mount({ path: target, device: '0:50', options: ['rw'] });
    expect(await outcome(client.nodePublishVolume(request))).toContain('ALREADY_EXISTS');
    expect(node.calls).toEqual([]);
  });

  it('is idempotent for a read-write volume whose daemon mounts it read-only', async () => {
    const volumeCapability = { mount: {}, accessMode: { mode: 'MULTI_NODE_MULTI_WRITER' } } as const;
    node.mount({ path: source, device: '0:50', options: ['ro'] });
    await client.nodePublishVolume({ ...request, volumeCapability });
    expect(node.stack(target)).toMatchObject([{ options: ['ro'] }]);
    await client.nodePublishVolume({ ...request, volumeCapability });
    expect(node.calls).toHaveLength(1);
  });

  it('binds a source of another FUSE module', async () => {
    node.mount({ path: source, device: '0:50', fstype: 'alifuse.aliyun-alinas-efc' });
    await client.nodePublishVolume(request);
    expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
  });

  it('binds a source that a client in the kernel mounts, once, and replaces none by the other kind', async () => {
    node.mount({ path: source, device: '0:50', fstype: 'nfs4' });
    await client.nodePublishVolume(request);
    expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
    await client.nodePublishVolume(request);
    expect(node.calls).toHaveLength(1);
    node.mount({ path: source, device: '0:51' });
    expect(await outcome(client.nodePublishVolume(request))).toContain('type nfs4 is mounted');
    expect(node.calls).toHaveLength(1);
  });

  it('rejects a target with another filesystem', async () => {
    node.mount({ path: source, device: '0:50' });
    node.mount({ path: target, device: '0:9', fstype: 'tmpfs' });
    expect(await outcome(client.nodePublishVolume(request))).toContain('ALREADY_EXISTS');
    expect(node.calls).toEqual([]);
  });

  it('replaces a dead mount at the target', async () => {
    node.mount({ path: target, device: '0:40' });
    node.mount({ path: source, device: '0:50' });
    await client.nodePublishVolume(request);
    expect(node.calls).toEqual([`replace ${target} ro`]);
    expect(node.stack(target)).toMatchObject([{ device: '0:50', options: ['ro'] }]);
  });

  it('says which devices of the volume the target showed before', async () => {
    node.mount({ path: source, device: '0:50' });
    for (const device of ['0:40', '0:41']) node.mount({ path: target, device });
    await client.nodePublishVolume(request);
    expect(replaced).toEqual([['default-demo', '0:50', '0:40', '0:41']]);
  });

  it('finishes a replacement that was left half-done', async () => {
    node.mount({ path: source, device: '0:50' });
    node.mount({ path: target, device: '0:50', options: ['ro'] });
    node.mount({ path: target, device: '0:40' });
    await client.nodePublishVolume(request);
    expect(node.calls).toEqual([`finish ${target} ro`]);
  });

  it('waits for the daemon and binds once it serves', async () => {
    const published = client.nodePublishVolume(request);
    await until(() => node.watchers === 1);
    expect(node.calls).toEqual([]);
    node.mount({ path: source, device: '0:50' });
    await published;
    expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
    expect(node.watchers).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  it('waits until a dead source mount is replaced by a live one', async () => {
    node.mount({ path: source, device: '0:40' });
    node.answers.set(source, dead);
    const published = client.nodePublishVolume(request);
    await until(() => node.watchers === 1);
    node.answers.delete(source);
    node.mount({ path: source, device: '0:50' });
    await published;
    expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
  });

  describe('with a standby', () => {
    const standby = source.replace(/\/jindofs-fuse$/, '/standby-0/jindofs-fuse');

    it.each([
      ['absent', undefined],
      ['dead', dead],
    ])('takes it if the ordinary source is %s', async (_, answer) => {
      if (answer !== undefined) node.mount({ path: source, device: '0:40' });
      node.answers.set(source, answer ?? live);
      node.mount({ path: standby, device: '0:50' });
      await client.nodePublishVolume(request);
      expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
    });

    it('takes it while the ordinary source does not answer', async () => {
      node.mount({ path: source, device: '0:40' });
      node.silent.add(source);
      node.mount({ path: standby, device: '0:50' });
      const published = client.nodePublishVolume(request);
      await until(() => node.asked === 2);
      clock.advance(300_000_000n);
      await published;
      expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
    });

    it.each([
      ['0:50', '0:50'],
      ['0:40', '0:40'],
      ['8:2', '0:40'],
    ])('takes the source that another pod shows: %s', async (shown, expected) => {
      node.mount({ path: source, device: '0:40' });
      node.mount({ path: standby, device: '0:50' });
      node.mount({ path: target.replace(/pods\/[^/]+/, 'pods/other'), device: shown });
      await client.nodePublishVolume(request);
      expect(node.stack(target)).toMatchObject([{ device: expected }]);
    });

    it.each([
      ['is of another mount source', { mountSource: 'other' }, request],
      [
        'is of a volume that is not read-only',
        {},
        { ...request, volumeCapability: { mount: {}, accessMode: { mode: 'MULTI_NODE_MULTI_WRITER' } } },
      ],
    ] as const)('waits for the ordinary source if the standby %s', async (_, mount, asked) => {
      node.mount({ path: source, device: '0:40' });
      node.answers.set(source, dead);
      node.mount({ path: standby, device: '0:50', ...mount });
      const refusal = outcome(client.nodePublishVolume(asked));
      await until(() => node.watchers === 1);
      clock.advance(31_000_000_000n);
      expect(await refusal).toContain('UNAVAILABLE: NodePublishVolume: the FUSE mount at');
      expect(node.calls).toEqual([]);
    });
  });

  it.each([
    ['nothing is mounted', undefined, live, 'FAILED_PRECONDITION: NodePublishVolume: no FUSE filesystem is mounted at'],
    ['an empty tmpfs is mounted', 'tmpfs', live, 'FAILED_PRECONDITION: NodePublishVolume: no FUSE filesystem'],
    ['the mount is dead', 'fuse', dead, 'UNAVAILABLE: NodePublishVolume: the FUSE mount at'],
    ['the mount hangs', 'fuse', hung, 'DEADLINE_EXCEEDED: NodePublishVolume: the FUSE daemon of'],
  ])('gives up at the deadline with the reason that %s', async (_, fstype, answer, message) => {
    if (fstype !== undefined) node.mount({ path: source, device: '0:50', fstype });
    node.answers.set(source, answer);
    const refusal = outcome(client.nodePublishVolume(request));
    await until(() => node.watchers === 1);
    clock.advance(31_000_000_000n);
    expect(await refusal).toContain(message);
    expect(node.calls).toEqual([]);
  });

  it('asks a slow daemon once, and publishes when it answers', async () => {
    node.mount({ path: source, device: '0:50' });
    const { promise, resolve } = Promise.withResolvers<void>();
    node.answerGate = promise;
    const published = client.nodePublishVolume(request);
    for (let retry = 0; retry < 40; retry++) {
      await until(() => node.watchers === 1 && clock.waiting === 1);
      clock.advance(250_000_000n);
    }
    resolve();
    await published;
    expect(node.asked).toBe(1);
    expect(node.stack(target)).toMatchObject([{ device: '0:50' }]);
  });

  it('publishes from a daemon that is mounted in the place of one that never answers', async () => {
    node.mount({ path: source, device: '0:50' });
    node.answerGate = new Promise(() => {});
    const published = client.nodePublishVolume(request);
    await until(() => node.asked === 1);
    node.answerGate = Promise.resolve();
    node.mount({ path: source, device: '0:51' });
    await published;
    expect(node.stack(target)).toMatchObject([{ device: '0:51' }]);
  });

  it("responds before the caller's deadline, so that it learns the reason", async () => {
    const refusal = outcome(client.nodePublishVolume(request, { timeoutMs: 20_000 }));
    await until(() => node.watchers === 1);
    clock.advance(19_800_000_000n);
    expect(await refusal).toContain('FAILED_PRECONDITION');
  });

  it('binds nothing if the caller hangs up', async () => {
    const call = new AbortController();
    const refusal = outcome(client.nodePublishVolume(request, { signal: call.signal }));
    await until(() => node.watchers === 1);
    call.abort();
    expect(await refusal).toContain('CANCELLED');
    await until(() => node.watchers === 0);
    node.mount({ path: source, device: '0:50' });
    expect(node.calls).toEqual([]);
  });

  it('binds nothing if the caller hangs up while the source is asked', async () => {
    node.mount({ path: source, device: '0:50' });
    const { promise, resolve } = Promise.withResolvers<void>();
    node.answerGate = promise;
    const call = new AbortController();
    const refusal = outcome(client.nodePublishVolume(request, { signal: call.signal }));
    await until(() => node.asked === 1);
    call.abort();
    expect(await refusal).toContain('CANCELLED');
    // The driver knows of the cancellation once it has served a later call.
    await client.nodeGetInfo({});
    resolve();
    await until(() => node.watchers === 0);
    expect(node.calls).toEqual([]);
  });

  it('never leaves an empty directory bound if the daemon exits in between', async () => {
    node.mount({ path: source, device: '0:50' });
    node.beforeMount = () => node.unmountAll(source);
    const published = client.nodePublishVolume(request);
    await until(() => clock.waiting === 1);
    expect(node.stack(target)).toEqual([]);
    node.mount({ path: source, device: '0:51' });
    clock.advance(10_000_000n);
    await published;
    expect(node.stack(target)).toMatchObject([{ device: '0:51' }]);
  });

  it('rejects with ABORTED while another operation holds the volume', async () => {
    node.mount({ path: source, device: '0:50' });
    using _ = locks.tryAcquire('default-demo');
    expect(await outcome(client.nodePublishVolume(request))).toContain('ABORTED');
    expect(node.calls).toEqual([]);
  });

  it('waits for the end of the recovery that starts when the daemon is back', async () => {
    const published = client.nodePublishVolume(request);
    await until(() => node.watchers === 1);
    const recovery = locks.tryAcquire('default-demo');
    clock.advance(50_000_000n);
    node.mount({ path: source, device: '0:50' });
    await until(() => node.watchers === 0 && clock.waiting === 1);
    recovery?.[Symbol.dispose]();
    clock.advance(10_000_000n);
    await published;
    expect(locks.held.size).toBe(0);
  });
});

describe('NodeUnpublishVolume', () => {
  const unpublish = { volumeId: 'default-demo', targetPath: target };

  it('unmounts all layers and then removes the directory', async () => {
    node.mount({ path: target, device: '0:40' });
    node.mount({ path: target, device: '0:50' });
    await client.nodeUnpublishVolume(unpublish);
    expect(node.calls).toEqual([`unpublish ${target}`, `rmdir ${target}`]);
    expect(node.table).toEqual([]);
  });

  it('is idempotent', async () => {
    expect(await outcome(client.nodeUnpublishVolume(unpublish))).toBe('OK');
    expect(await outcome(client.nodeUnpublishVolume(unpublish))).toBe('OK');
  });

  it('tries again while the target path is being looked up', async () => {
    node.mount({ path: target, device: '0:40' });
    const detach = node.unpublish.bind(node);
    const failure = { errno: 'EINPROGRESS', call: 'openat2', path: target, step: '' };
    node.unpublish = () => ({ ok: false, failure });
    const unpublished = outcome(client.nodeUnpublishVolume(unpublish));
    await until(() => clock.waiting === 1);
    node.unpublish = detach;
    clock.advance(20_000_000n);
    expect(await unpublished).toBe('OK');
    expect(node.table).toEqual([]);
  });

  it('removes nothing while the mount table still shows a mount', async () => {
    node.mount({ path: target, device: '0:40' });
    node.unpublish = () => ({ ok: true, value: undefined });
    expect(await outcome(client.nodeUnpublishVolume(unpublish))).toContain('INTERNAL: NodeUnpublishVolume: 1 mounts');
    expect(node.calls).toEqual([]);
  });

  it('rejects with ABORTED while another operation holds the volume', async () => {
    using _ = locks.tryAcquire('default-demo');
    expect(await outcome(client.nodeUnpublishVolume(unpublish))).toContain('ABORTED');
  });
});

describe("a kubelet's directory that is a symbolic link", () => {
  const linked = '/data/kubelet';
  const plain = target.replace('/var/lib/kubelet', linked);

  it.each([
    ['the link', target],
    ['the directory', plain],
  ])('is used by the path that mount tables show, if the kubelet uses that of %s', async (_, path) => {
    node.kubeletRoot = linked;
    node.mount({ path: source, device: '0:50' });
    await client.nodePublishVolume({ ...request, targetPath: path });
    expect(node.stack(plain)).toHaveLength(1);
    expect((await client.nodeGetVolumeStats({ volumeId: 'default-demo', volumePath: path })).usage).toHaveLength(2);
    await client.nodeUnpublishVolume({ volumeId: 'default-demo', targetPath: path });
    expect(node.stack(plain)).toEqual([]);
  });
});

describe('NodeGetVolumeStats', () => {
  const stats = { volumeId: 'default-demo', volumePath: target };

  it('returns the usage of a healthy volume', async () => {
    node.mount({ path: target, device: '0:50' });
    const { usage: reported, volumeCondition } = await client.nodeGetVolumeStats(stats);
    expect(reported).toEqual([
      { unit: 'BYTES', total: 100, available: 60, used: 30 },
      { unit: 'INODES', total: 8, available: 7, used: 1 },
    ]);
    expect(volumeCondition).toMatchObject({ abnormal: false });
  });

  it.each([
    { answer: dead, abnormal: true, message: 'the FUSE daemon of the volume is gone (ENOTCONN)' },
    { answer: hung, abnormal: true, message: 'the FUSE daemon of the volume does not answer' },
    { answer: unknown, abnormal: false, message: 'the volume could not be asked (EAGAIN)' },
    { answer: live, abnormal: false, message: 'the FUSE daemon of the volume answers' },
  ])('reports the condition of a volume that is $answer.status', async ({ answer, abnormal, message }) => {
    node.mount({ path: target, device: '0:50' });
    node.answers.set(target, answer);
    const { usage: reported, volumeCondition } = await client.nodeGetVolumeStats(stats);
    expect(reported).toEqual([]);
    expect(volumeCondition).toEqual({ abnormal, message });
  });

  it.each([
    { answer: hung, abnormal: true, message: 'the nfs4 filesystem of the volume does not answer' },
    { answer: unknown, abnormal: false, message: 'the nfs4 filesystem of the volume does not answer' },
    { answer: live, abnormal: false, message: 'the nfs4 filesystem of the volume answers' },
  ])('reports the condition of a volume without a daemon that is $answer.status', async (each) => {
    node.mount({ path: target, device: '0:50', fstype: 'nfs4' });
    node.answers.set(target, each.answer);
    const { volumeCondition } = await client.nodeGetVolumeStats(stats);
    expect(volumeCondition).toEqual({ abnormal: each.abnormal, message: each.message });
  });

  it('reports a replaced mount that its consumer has not been seen to read', async () => {
    node.mount({ path: target, device: '0:50' });
    const site = { kind: 'container', podUid: 'uid-1', container: 'app', pid: 7, path: '/data' } as const;
    const diagnosis = { volume: volumeNamed('default-demo'), site } as Diagnosis;
    const failures: Failure[] = [];
    unproven = [
      { ...diagnosis, volume: volumeNamed('other') },
      { ...diagnosis, site: { ...site, podUid: 'uid-2' } },
      diagnosis,
    ].map((each) => ({ diagnosis: each, failures }) as unknown as UnprovenSite);
    const conditions = [(await client.nodeGetVolumeStats(stats)).volumeCondition];
    failures.push({ errno: 'EACCES', call: 'openat', path: '/data/a', step: 'read-open-file' });
    conditions.push((await client.nodeGetVolumeStats(stats)).volumeCondition);
    unproven.pop();
    conditions.push((await client.nodeGetVolumeStats(stats)).volumeCondition);
    expect(conditions.map((each) => `${each?.abnormal} ${each?.message}`)).toEqual([
      'false mounted, not yet proven: /data is being read',
      'true mounted, not yet proven: openat of /data/a answered EACCES',
      'false the FUSE daemon of the volume answers',
    ]);
  });

  it('rejects a path at which nothing is published', async () => {
    expect(await outcome(client.nodeGetVolumeStats(stats))).toContain('NOT_FOUND');
  });
});

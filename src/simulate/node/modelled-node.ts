import {
  driverName,
  type Nanoseconds,
  type Pod,
  type SourceRole,
  type Volume,
  type VolumeRecord,
} from '../../../recovery/engine/model.ts';
import { targetPath } from '../../../recovery/engine/mount-sites.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { FuseConnection } from '../../../recovery/linux/model/connection.ts';
import { KernelModel } from '../../../recovery/linux/model/kernel-model.ts';
import {
  enterContainer,
  followLinks,
  type ModelledProcess,
  makeDirectory,
  type RuntimeMount,
} from '../../../recovery/linux/model/modelled-process.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import type { Filesystem, MountNamespace, VfsPath } from '../../../recovery/linux/model/mounts.ts';
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_REC, MS_SHARED } from '../../../recovery/linux/syscalls.ts';
import { taken } from '../against-kernel/machine.ts';
import type { ForeignMount, PodShape } from './node-history.ts';

/** The user of the containers. */
export const containerUser = { uid: 1000, gid: 1000, groups: [] };

export const kubeletRoot = '/var/lib/kubelet';
export const mountRoot = '/runtime-mnt';

/** Links of the image of a pod whose mount path leads through one. */
const links = { '/var/run': '/run' };

/** A mount of a volume in a pod's container. */
export interface SimulatedMount {
  readonly volume: Volume;
  /** Where the container sees it. */
  readonly path: string;
  /** Where the kubelet has it published. */
  readonly target: string;
}

/** A pod with one container that reads volumes. */
export interface SimulatedPod {
  spec: Pod;
  /** The first one is also where the tenant mounts file systems of its own. */
  readonly mounts: readonly [SimulatedMount, ...SimulatedMount[]];
  readonly propagation: 'slave' | 'private';
  readonly shape: PodShape;
  /** Whether the agent cannot know whose its container is, and so must leave it alone. */
  readonly isUnknown: boolean;
  /** The container's process, if it runs. */
  process: ModelledProcess | undefined;
  /** A file system that the tenant mounted over the volume, and one inside of it, of the running container. */
  cover: Filesystem | undefined;
  inside: Filesystem | undefined;
  /** The source that an earlier agent has stacked in the running container. */
  stacked: Filesystem | undefined;
  /** Whether an agent started when nothing on the node showed any more that this is the volume's, so that it must leave it alone. */
  isForgotten: boolean;
}

/** The kernel of a node, its FUSE daemons, and what its kubelet and container runtime do to mounts. */
export class ModelledNode {
  readonly kernel: KernelModel;
  readonly volumes: Volume[];
  readonly pods: SimulatedPod[] = [];
  /** Other pods that the API server knows. */
  readonly strangers: Pod[] = [];
  readonly records = new Map<string, VolumeRecord>();
  /** File systems of other drivers at target paths. */
  readonly foreign: Filesystem[] = [];
  readonly #host: ModelledSyscalls;
  /** By the path of the source. */
  readonly #connections = new Map<string, FuseConnection>();
  readonly #owners = new Map<FuseConnection, string>();
  #mounting: FuseConnection | undefined;
  #count = 0;

  constructor(clock: ModelledClock, volumes: number) {
    this.kernel = new KernelModel({ now: () => Number(clock.now() / 1_000_000n) });
    this.#host = this.#process();
    this.volumes = Array.from({ length: volumes }, (_, index) => volumeNamed(`volume-${index}`, index === 2));
    taken(this.#host.mount({ source: null, target: '/', fstype: null, flags: MS_SHARED | MS_REC }));
    makeDirectory(this.#host, '/run/container');
    for (const volume of this.volumes)
      for (const role of ['active', 'standby'] as const) makeDirectory(this.#host, sourcePath(volume, role));
  }

  #process(): ModelledSyscalls {
    return new ModelledSyscalls({
      kernel: this.kernel,
      filesystem: (fstype, source) =>
        this.kernel.filesystem({
          fstype,
          source,
          ...(this.#mounting === undefined ? {} : { connection: this.#mounting }),
        }),
    });
  }

  #mountFuse(
    sys: ModelledSyscalls,
    connection: FuseConnection,
    target: string,
    fstype = 'fuse.jindo',
    source = 'jindofs',
  ) {
    this.#mounting = connection;
    const mounted = sys.mount({ source, target, fstype, flags: MS_NOSUID | MS_NODEV });
    this.#mounting = undefined;
    return mounted;
  }

  /** Starts a daemon of the volume. `stacks`: on top of its predecessor's mount instead of in its place. */
  serve(volume: Volume, role: SourceRole, stacks: boolean): FuseConnection {
    const path = sourcePath(volume, role);
    if (!stacks) this.unmountSource(volume, role);
    this.#count += 1;
    const connection = new FuseConnection({ state: 'starting', entries: servedEntries, now: this.kernel.now });
    // Daemons of all datasets give their mounts the same name.
    taken(this.#mountFuse(this.#host, connection, path));
    this.#owners.set(connection, `${volume.name}#${this.#count}`);
    this.#connections.set(path, connection);
    return connection;
  }

  unmountSource(volume: Volume, role: SourceRole): void {
    const path = sourcePath(volume, role);
    while (this.at(path)?.mount.filesystem.connection !== undefined) taken(this.#host.umount(path, MNT_DETACH));
  }

  connectionOf(volume: Volume, role: SourceRole): FuseConnection | undefined {
    return this.#connections.get(sourcePath(volume, role));
  }

  /** Whether a daemon of the volume answers. */
  isServed(volume: Volume): boolean {
    return (['active', 'standby'] as const).some((role) => this.connectionOf(volume, role)?.state === 'live');
  }

  createPod(
    volume: Volume,
    { propagation, label, shape }: { propagation: 'slave' | 'private'; label?: string | undefined; shape: PodShape },
  ): SimulatedPod {
    this.#count += 1;
    const uid = `pod-${this.#count}`;
    const other = this.volumes[(this.volumes.indexOf(volume) + 1) % this.volumes.length] ?? volume;
    const declared = [
      { volume, mountPath: shape === 'link' ? '/var/run/data' : '/data' },
      ...(shape === 'two-volumes' ? [{ volume: other, mountPath: '/more' }] : []),
      ...(shape === 'twice' ? [{ volume, mountPath: '/again' }] : []),
    ];
    const [first, ...more] = declared.map(({ volume: each, mountPath }) => ({
      volume: each,
      path: followLinks(mountPath, links),
      target: targetPath(kubeletRoot, uid, each.name),
    }));
    if (first === undefined) throw new Error('a pod has a volume');
    const subPath =
      shape === 'sub-path-log'
        ? [{ volume: volume.name, mountPath: '/own', readOnly: false, subPath: imitatedLog }]
        : [];
    const spec: Pod = {
      ...{ uid, namespace: 'default', name: uid, annotations: {}, deleting: false },
      volumes: [...new Set(declared.map((each) => each.volume.name))],
      labels: label === undefined ? {} : { 'fuse.serverful.fluid.io/inject': label },
      containers: [
        {
          name: 'app',
          mounts: [
            ...declared.map((each) => ({ volume: each.volume.name, mountPath: each.mountPath, readOnly: false })),
            ...subPath,
          ],
        },
      ],
    };
    const isUnknown = ['another-log', 'only-another-log', 'moved-log'].includes(shape);
    const mounts = [first, ...more] as const;
    const pod: SimulatedPod = {
      ...{ spec, mounts, propagation, shape, isUnknown, process: undefined, ...fresh },
    };
    this.pods.push(pod);
    for (const { target, volume: each } of pod.mounts) {
      makeDirectory(this.#host, target.slice(0, target.lastIndexOf('/')));
      this.records.set(target, { driverName, volumeHandle: each.handle, specVolID: each.name });
    }
    return pod;
  }

  /** The processes of running containers. */
  get processes(): readonly ModelledProcess[] {
    return this.pods.flatMap(({ process }) => process ?? []).sort((a, b) => a.pid - b.pid);
  }

  /** Starts the pod's container with mounts of the target paths, as a runtime does. The kernel gives pids again. */
  startContainer(pod: SimulatedPod): void {
    this.#count += 1;
    const sys = this.#process();
    enterContainer(sys, [
      ...this.#filesOf(pod),
      ...pod.mounts.map(({ target, path }) => ({ from: target, path, propagation: pod.propagation })),
      ...this.#subPathOf(pod),
    ]);
    let pid = 1000;
    while (this.pods.some((each) => each.process?.pid === pid)) pid += 1;
    const process = { pid, startTime: String(this.#count), user: containerUser, links, sys };
    Object.assign(pod, { process, ...fresh });
  }

  /** A directory of the volume. A real container would not start before the daemon answers. */
  #subPathOf({ shape, mounts: [{ target }] }: SimulatedPod): readonly RuntimeMount[] {
    const isServed = this.at(target)?.mount.filesystem.connection?.state === 'live';
    return shape === 'sub-path-log' && isServed ? [{ from: `${target}/${imitatedLog}`, path: '/own' }] : [];
  }

  /** The files and directories of the kubelet that the container has beside its volumes. */
  #filesOf({ spec: { uid }, shape }: SimulatedPod): readonly RuntimeMount[] {
    const file = (name: string, owner = uid) => {
      const path = `${kubeletRoot}/pods/${owner}/${name}`;
      makeDirectory(this.#host, path);
      return path;
    };
    const log = file(`containers/app/${this.#count}`);
    const victim = this.pods.find(({ spec }) => spec.uid !== uid)?.spec.uid ?? 'another';
    const stolen = { from: file('containers/app/1', victim), path: '/dev/termination-log' };
    const hosts = { from: file('etc-hosts'), path: '/etc/hosts' };
    switch (shape) {
      case 'empty-dir':
        return [
          { from: log, path: '/dev/termination-log' },
          { from: file('volumes/kubernetes.io~empty-dir/cache'), path: '/cache' },
        ];
      case 'another-log':
        return [stolen, { from: log, path: '/own-log' }];
      case 'only-another-log':
        return [stolen, hosts];
      case 'moved-log':
        return [{ from: log, path: '/own-log' }, hosts];
      default:
        return [{ from: log, path: '/dev/termination-log' }, hosts];
    }
  }

  stopContainer(pod: SimulatedPod): void {
    pod.process?.sys.exit();
    Object.assign(pod, { process: undefined, ...fresh });
  }

  removePod(pod: SimulatedPod): void {
    for (const { target } of pod.mounts) this.records.delete(target);
    this.pods.splice(this.pods.indexOf(pod), 1);
  }

  /** Mounts a file system of the tenant over its volume, or in a directory of it. */
  mountInContainer(pod: SimulatedPod, where: 'cover' | 'inside'): void {
    const [{ path: volume }] = pod.mounts;
    if (pod.process === undefined || pod.cover !== undefined || pod[where] !== undefined) return;
    this.#count += 1;
    const { sys } = pod.process;
    const path = where === 'cover' ? volume : `${volume}/inner`;
    // The directory cannot be opened if the volume does not answer.
    if (where === 'inside' && this.siteOf(pod, pod.mounts[0])?.mount.filesystem.connection?.state !== 'live') return;
    const name = `tenant#${this.#count}`;
    // Its daemon has ended, as the volume's has.
    const mounted =
      where === 'cover' && this.#count % 2 === 0
        ? this.#mountFuse(sys, new FuseConnection({ state: 'dead' }), path, 'fuse.tenant', name)
        : sys.mount({ source: name, target: path, fstype: 'tmpfs', flags: 0 });
    if (mounted.ok) pod[where] = this.#at(sys.namespace, path)?.mount.filesystem;
  }

  /** Stacks the live source on top of a dead mount, as agents without Linux 6.5 did, on the node and in the container. */
  stackAsEarlierAgent(pod: SimulatedPod): void {
    const [{ volume, target, path }] = pod.mounts;
    const source = sourcePath(volume, 'active');
    if (this.connectionOf(volume, 'active')?.state !== 'live' || this.at(source) === undefined || !isReadOnly(volume))
      return;
    if (pod.process === undefined || pod.cover !== undefined || pod.inside !== undefined) return;
    if (this.at(target)?.mount.filesystem.connection?.state !== 'dead') return;
    const { process } = pod;
    const layers = (root: VfsPath | undefined) => root?.mount.parent?.filesystem.connection !== undefined;
    if (layers(this.at(target)) || layers(this.siteOf(pod, pod.mounts[0]))) return;
    const clone = (namespace: MountNamespace, at: string) => {
      const place = this.#at(namespace, at);
      const from = this.at(source);
      if (place === undefined || from === undefined) return;
      const copy = this.kernel.propagation.copy(from.mount, from.dentry, { private: true });
      copy.options = new Set([...copy.options, 'ro']);
      this.kernel.attach(copy, place.mount, place.dentry, this.kernel.initial);
    };
    clone(this.kernel.initial, target);
    // Propagation may have done it.
    if (this.siteOf(pod, pod.mounts[0])?.mount.filesystem.connection?.state === 'dead')
      clone(process.sys.namespace, path);
    pod.stacked = this.siteOf(pod, pod.mounts[0])?.mount.filesystem;
  }

  /** An agent starts, which knows only what the node shows. */
  agentStarts(): void {
    const shown = new Set([...this.kernel.initial.root.tree()].map(({ filesystem }) => filesystem));
    for (const pod of this.pods) if (pod.stacked !== undefined && !shown.has(pod.stacked)) pod.isForgotten = true;
  }

  /** Mounts something at a target path that bears the name of a volume. The daemon of another driver's has ended. */
  mountForeign(volume: Volume, kind: ForeignMount): void {
    if (this.foreign.length > 1) return;
    this.#count += 1;
    const uid = `stranger-${this.#count}`;
    const target = targetPath(kubeletRoot, uid, volume.name);
    makeDirectory(this.#host, target);
    const mounted =
      kind === 'tmpfs'
        ? this.#host.mount({ source: 'foreign', target, fstype: 'tmpfs', flags: 0 })
        : this.#mountFuse(this.#host, new FuseConnection({ state: 'dead' }), target);
    if (!mounted.ok) return;
    const other = { driverName: 'other.csi.example', volumeHandle: volume.handle, specVolID: volume.name };
    if (kind !== 'unrecorded') this.records.set(target, other);
    if (kind === 'claimed' || kind === 'tmpfs')
      this.strangers.push({
        ...{ uid, namespace: 'default', name: uid, labels: {}, annotations: {}, deleting: false },
        volumes: [volume.name],
        containers: [],
      });
    const found = this.at(target)?.mount.filesystem;
    if (found !== undefined) this.foreign.push(found);
  }

  /** What the container sees at the path of a mount. */
  siteOf(pod: SimulatedPod, { path }: SimulatedMount): VfsPath | undefined {
    return pod.process === undefined ? undefined : this.#at(pod.process.sys.namespace, path);
  }

  at(path: string): VfsPath | undefined {
    return this.#at(this.kernel.initial, path);
  }

  #at(namespace: MountNamespace, path: string): VfsPath | undefined {
    const found = this.kernel.walk(this.kernel.rootOf(namespace), path);
    return typeof found === 'string' ? undefined : found;
  }

  /** `<volume>#<number of the daemon>`; what is mounted if it is no FUSE file system of a volume. */
  ownerOf({ connection, source }: Filesystem): string {
    return (connection === undefined ? undefined : this.#owners.get(connection)) ?? source;
  }

  /** The name of the volume that a file system has. */
  volumeOf(filesystem: Filesystem): string {
    return this.ownerOf(filesystem).split('#')[0] ?? '';
  }
}

/** What nobody has done yet to the mounts of a container. */
const fresh = { cover: undefined, inside: undefined, stacked: undefined, isForgotten: false };

/** A directory of a volume that is named like the termination log of the first pod. */
const imitatedLog = 'var/lib/kubelet/pods/pod-4/containers/app/1';

const servedEntries = [
  ...['data', 'inner'],
  ...imitatedLog.split('/').map((_, index, names) => names.slice(0, index + 1).join('/')),
];

export function sourcePath({ sources: [path = ''] }: Volume, role: SourceRole): string {
  return role === 'active' ? path : path.replace(/\/([^/]+)$/, '/standby-0/$1');
}

export const isReadOnly = ({ accessModes }: Volume): boolean => !accessModes.includes('ReadWriteMany');

function volumeNamed(name: string, isWritable: boolean): Volume {
  return {
    ...{ name, handle: name, dataset: { namespace: 'default', name }, subdirectory: '' },
    sources: [`${mountRoot}/jindo/default/${name}/jindofs-fuse`],
    // A mixture counts as writable, too.
    accessModes: isWritable ? ['ReadOnlyMany', 'ReadWriteMany'] : ['ReadOnlyMany'],
  };
}

export const milliseconds = (count: number) => BigInt(Math.round(count * 1_000_000)) as Nanoseconds;

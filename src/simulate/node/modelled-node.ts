import {
  driverName,
  type Nanoseconds,
  type Pod,
  type Volume,
  type VolumeRecord,
} from '../../../recovery/engine/model.ts';
import { targetPath } from '../../../recovery/engine/mount-sites.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { type ConnectionState, FuseConnection } from '../../../recovery/linux/model/connection.ts';
import { KernelModel } from '../../../recovery/linux/model/kernel-model.ts';
import { enterContainer, type ModelledProcess, makeDirectory } from '../../../recovery/linux/model/modelled-process.ts';
import { ModelledSyscalls } from '../../../recovery/linux/model/modelled-syscalls.ts';
import type { Filesystem, MountNamespace, VfsPath } from '../../../recovery/linux/model/mounts.ts';
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_REC, MS_SHARED } from '../../../recovery/linux/syscalls.ts';
import { taken } from '../against-kernel/machine.ts';

/** As whom the containers run. */
export const containerUser = { uid: 1000, gid: 1000, groups: [] };

export const kubeletRoot = '/var/lib/kubelet';
export const mountRoot = '/runtime-mnt';

/** A pod with one container that reads one volume at `/data`. */
export interface SimulatedPod {
  readonly spec: Pod;
  readonly volume: Volume;
  readonly propagation: 'slave' | 'private';
  /** The container's process, if it runs. */
  process: ModelledProcess | undefined;
  /** A file system that the tenant mounted over `/data`, and one inside of it, of the running container. */
  cover: Filesystem | undefined;
  inside: Filesystem | undefined;
}

/** The kernel of a node, its FUSE daemons, and what its kubelet and container runtime do to mounts. */
export class ModelledNode {
  readonly kernel: KernelModel;
  readonly volumes: Volume[];
  readonly pods: SimulatedPod[] = [];
  readonly records = new Map<string, VolumeRecord>();
  /** File systems of another driver at target paths. */
  readonly foreign: Filesystem[] = [];
  readonly #host: ModelledSyscalls;
  readonly #connections = new Map<string, FuseConnection>();
  readonly #owners = new Map<FuseConnection, string>();
  #mounting: FuseConnection | undefined;
  #generation = 0;
  #nextPid = 1000;

  constructor(clock: ModelledClock, volumes: number) {
    this.kernel = new KernelModel({ now: () => Number(clock.now() / 1_000_000n) });
    this.#host = this.#process();
    this.volumes = Array.from({ length: volumes }, (_, index) => volumeNamed(`volume-${index}`, index === 2));
    taken(this.#host.mount({ source: null, target: '/', fstype: null, flags: MS_SHARED | MS_REC }));
    makeDirectory(this.#host, '/run/container');
    for (const { sources } of this.volumes) for (const path of sources) makeDirectory(this.#host, path);
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

  /** Starts a daemon of the volume. `stacks`: on top of its predecessor's mount instead of in its place. */
  serve(volume: Volume, stacks: boolean): void {
    const path = volume.sources[0] ?? '';
    const isFuse = () => this.#at(this.kernel.initial, path)?.mount.filesystem.connection !== undefined;
    while (!stacks && isFuse()) taken(this.#host.umount(path, MNT_DETACH));
    this.#generation += 1;
    const connection = new FuseConnection({ state: 'starting', entries: ['data', 'inner'] });
    this.#mounting = connection;
    // Daemons of all datasets give their mounts the same name.
    taken(this.#host.mount({ source: 'jindofs', target: path, fstype: 'fuse.jindo', flags: MS_NOSUID | MS_NODEV }));
    this.#owners.set(connection, `${volume.name}#${this.#generation}`);
    this.#mounting = undefined;
    this.#connections.set(volume.name, connection);
  }

  connectionOf(volume: Volume): FuseConnection | undefined {
    return this.#connections.get(volume.name);
  }

  setState(volume: Volume, state: ConnectionState): void {
    const connection = this.#connections.get(volume.name);
    if (connection === undefined || connection.state === 'dead') return;
    if (state === 'dead') connection.crash();
    else connection.state = state;
  }

  createPod(volume: Volume, propagation: 'slave' | 'private', labelled: boolean): SimulatedPod {
    const uid = `pod-${this.#nextPid}`;
    const mounts = [{ volume: volume.name, mountPath: '/data', readOnly: false }];
    const spec: Pod = {
      ...{ uid, namespace: 'default', name: uid, annotations: {}, deleting: false, volumes: [volume.name] },
      labels: labelled ? { 'fuse.serverful.fluid.io/inject': 'true' } : {},
      containers: [{ name: 'app', mounts }],
    };
    const pod: SimulatedPod = {
      spec,
      volume,
      propagation,
      process: undefined,
      cover: undefined,
      inside: undefined,
    };
    this.#nextPid += 1;
    this.pods.push(pod);
    const target = targetOf(pod);
    makeDirectory(this.#host, target.slice(0, target.lastIndexOf('/')));
    this.records.set(target, { driverName, volumeHandle: volume.handle, specVolID: volume.name });
    return pod;
  }

  /** The processes of running containers. */
  get processes(): readonly ModelledProcess[] {
    return this.pods.flatMap(({ process }) => process ?? []).sort((a, b) => a.pid - b.pid);
  }

  /** Starts the pod's container with a mount of the target path, as a runtime does. */
  startContainer(pod: SimulatedPod): void {
    const sys = this.#process();
    const log = `${kubeletRoot}/pods/${pod.spec.uid}/containers/app/${this.#nextPid}`;
    makeDirectory(this.#host, log);
    enterContainer(sys, [
      { from: log, path: '/dev/termination-log' },
      { from: targetOf(pod), path: '/data', propagation: pod.propagation },
    ]);
    const process = { pid: this.#nextPid, startTime: String(this.#nextPid), user: containerUser, sys };
    Object.assign(pod, { process, cover: undefined, inside: undefined });
    this.#nextPid += 1;
  }

  stopContainer(pod: SimulatedPod): void {
    pod.process?.sys.exit();
    Object.assign(pod, { process: undefined, cover: undefined, inside: undefined });
  }

  removePod(pod: SimulatedPod): void {
    this.records.delete(targetOf(pod));
    this.pods.splice(this.pods.indexOf(pod), 1);
  }

  /** Mounts a file system of the tenant over `/data`, or in a directory of it. */
  mountInContainer(pod: SimulatedPod, where: 'cover' | 'inside'): void {
    if (pod.process === undefined || pod.cover !== undefined || pod[where] !== undefined) return;
    this.#generation += 1;
    const path = where === 'cover' ? '/data' : '/data/inner';
    const isFuse = where === 'cover' && this.#generation % 2 === 0;
    const fstype = isFuse ? 'fuse.tenant' : 'tmpfs';
    // The directory cannot be opened if the volume does not answer.
    if (where === 'inside' && this.siteOf(pod)?.mount.filesystem.connection?.state !== 'live') return;
    // Its daemon has ended, as the volume's has.
    this.#mounting = isFuse ? new FuseConnection({ state: 'dead' }) : undefined;
    const mounted = pod.process.sys.mount({ source: `tenant#${this.#generation}`, target: path, fstype, flags: 0 });
    this.#mounting = undefined;
    if (mounted.ok) pod[where] = this.#at(pod.process.sys.namespace, path)?.mount.filesystem;
  }

  /** Mounts an inline volume of another driver at a target path that bears the name of a volume. Its daemon has ended. */
  mountForeign(volume: Volume): void {
    if (this.foreign.length > 0) return;
    const target = targetPath(kubeletRoot, `pod-foreign-${volume.name}`, volume.name);
    makeDirectory(this.#host, target);
    this.#mounting = new FuseConnection({ state: 'dead' });
    const mounted = this.#host.mount({ source: 'jindofs', target, fstype: 'fuse.jindo', flags: MS_NOSUID | MS_NODEV });
    this.#mounting = undefined;
    if (!mounted.ok) return;
    this.records.set(target, { driverName: 'other.csi.example', volumeHandle: 'other', specVolID: volume.name });
    const found = this.at(target)?.mount.filesystem;
    if (found !== undefined) this.foreign.push(found);
  }

  /** What the container sees at `/data`. */
  siteOf(pod: SimulatedPod): VfsPath | undefined {
    return pod.process === undefined ? undefined : this.#at(pod.process.sys.namespace, '/data');
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

export const targetOf = ({ spec, volume }: SimulatedPod): string => targetPath(kubeletRoot, spec.uid, volume.name);

export const isReadOnly = ({ accessModes }: Volume): boolean => !accessModes.includes('ReadWriteMany');

function volumeNamed(name: string, isWritable: boolean): Volume {
  return {
    ...{ name, handle: name, dataset: { namespace: 'default', name }, subdirectory: '' },
    sources: [`${mountRoot}/jindo/default/${name}/jindofs-fuse`],
    accessModes: [isWritable ? 'ReadWriteMany' : 'ReadOnlyMany'],
  };
}

export const milliseconds = (count: number) => BigInt(Math.round(count * 1_000_000)) as Nanoseconds;

import { mkdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container, V1VolumeMount } from '@kubernetes/client-node';
import type { RuntimeOptions } from './container.ts';
import { containerEnvironment, expand } from './container-environment.ts';
import { detachBelow } from './mounts-below.ts';
import { refusedMount } from './refused-mount.ts';
import type { ContainerMount } from './rootfs.ts';
import { bindSubPath } from './sub-path.ts';
import { type MountedVolume, setUpVolume, type VolumeContext } from './volumes.ts';

export interface PodVolumesOptions extends VolumeContext {
  readonly runtime: Pick<RuntimeOptions, 'linux'>;
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of the kubelet's clock in one real second. */
  readonly clockScale: number;
}

/** Why a container cannot be created, as its status says it. */
export interface NotCreated {
  readonly reason: 'CreateContainerError' | 'CreateContainerConfigError';
  readonly message: string;
}

/** The CRI's limit for one call, in milliseconds of the kubelet's clock; and in real ones, which a process takes to start. */
const volumeTimeoutMs = 120_000;
const leastTimeoutMs = 10_000;

/** What a pod has below `<kubelet root>/pods/<uid>`, which is made and removed here: its volumes, their subPaths, its hosts file. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #volumes: MountedVolume[] = [];

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  makeDirectory(): void {
    const { paths, uid, pod } = this.#options;
    mkdirSync(paths.volumes(uid), { recursive: true });
    writeFileSync(paths.hosts(uid), `127.0.0.1\tlocalhost\n127.0.0.1\t${pod.metadata?.name ?? ''}\n`);
  }

  /** One after the other, each with `retry`; `published` is told of those of a CSI driver. */
  async setUp(
    retry: <T>(what: string, work: () => Promise<T>) => Promise<T | undefined>,
    published: (persistentVolume: string) => void,
  ): Promise<void> {
    for (const volume of this.#options.pod.spec?.volumes ?? []) {
      const mounted = await retry(`publish ${volume.name}`, () => setUpVolume(this.#options, volume));
      if (mounted) this.#volumes.push(mounted);
      if (mounted?.persistentVolume) published(mounted.persistentVolume);
    }
  }

  /** Makes a container's volumes ready to be mounted, subPaths too; what is in the way, where something is. */
  async prepare(container: V1Container): Promise<NotCreated | undefined> {
    const { environment, clockScale } = this.#options;
    const { volumeMounts = [] } = container;
    const csi = this.#volumes.filter(
      (volume) => volume.persistentVolume && volumeMounts.some((mount) => mount.name === volume.name),
    );
    const refusals = await Promise.all(csi.map(({ path }) => refusedMount({ path, environment, clockScale })));
    const refused = refusals.find((refusal) => refusal !== undefined);
    if (refused !== undefined) return { reason: 'CreateContainerError', message: refused };
    const message = await this.#bindSubPaths(container);
    return message === undefined ? undefined : { reason: 'CreateContainerConfigError', message };
  }

  mountsOf({ name, volumeMounts = [] }: V1Container): readonly ContainerMount[] {
    return volumeMounts.map((mount, index) => this.#mountOf(mount, name, index));
  }

  /** Gives the volumes back and removes all that was made, file by file: a recursive removal could meet a mount. */
  async release(
    containers: readonly string[],
    retry: (what: string, work: () => Promise<void>) => Promise<unknown>,
  ): Promise<void> {
    this.#releaseSubPaths();
    for (const volume of this.#volumes) await retry(`unpublish ${volume.name}`, () => volume.release());
    const { paths, uid } = this.#options;
    for (const name of containers) rmSync(join(paths.pod(uid), 'containers', name), { recursive: true, force: true });
    unlinkSync(paths.hosts(uid));
    for (const { path } of this.#volumes) this.#removeEmptyDir(path);
    for (const directory of [...pluginDirectories, 'volumes', 'containers', '.'])
      try {
        rmdirSync(join(paths.pod(uid), directory));
      } catch {
        // Not there, or something is left in it: what is left is found and named when the namespace is released.
      }
  }

  /** Binds the container's subPaths; why that cannot be, where it cannot. */
  async #bindSubPaths(container: V1Container): Promise<string | undefined> {
    const { clockScale, environment, paths, pod, uid } = this.#options;
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = this.#volumes.find(({ name }) => name === mount.name);
      const of = `for volumeMount "${mount.name}" of container "${container.name}"`;
      const given = mount.subPath || mount.subPathExpr;
      if (!given || !volume) continue;
      const subPath = mount.subPath || expand(given, containerEnvironment(container, pod));
      if (subPath === undefined) return `failed to expand subPath ${of}`;
      if (subPath.startsWith('/') || subPath.split('/').includes('..'))
        return `subPath "${subPath}" ${of} leaves the volume`;
      const target = paths.subPath(uid, volume.persistentVolume ?? volume.name, container.name, index);
      const timeoutMs = Math.max(volumeTimeoutMs / clockScale, leastTimeoutMs);
      const refused = await bindSubPath({ volume: volume.path, subPath, target }, { environment, timeoutMs });
      if (refused !== undefined) return `failed to prepare subPath ${of}: ${refused}`;
    }
    return undefined;
  }

  #mountOf(mount: V1VolumeMount, container: string, index: number): ContainerMount {
    const { paths, uid } = this.#options;
    const volume = this.#volumes.find(({ name }) => name === mount.name);
    if (!volume) throw new Error(`volume ${mount.name} is not set up`);
    return {
      source:
        mount.subPath || mount.subPathExpr
          ? paths.subPath(uid, volume.persistentVolume ?? volume.name, container, index)
          : volume.path,
      target: mount.mountPath,
      readOnly: mount.readOnly ?? false,
      propagation: (mount.mountPropagation ?? 'None') as ContainerMount['propagation'],
    };
  }

  #releaseSubPaths(): void {
    const { paths, uid, runtime } = this.#options;
    const root = join(paths.pod(uid), 'volume-subpaths');
    detachBelow(runtime.linux, root);
    // Plain directories and files by now, of which the kubelet made each.
    rmSync(root, { recursive: true, force: true });
  }

  #removeEmptyDir(path: string): void {
    const { paths, uid, runtime } = this.#options;
    if (!path.startsWith(join(paths.volumes(uid), 'kubernetes.io~empty-dir'))) return;
    // What a sidecar left mounted in it: a removal would walk into it.
    detachBelow(runtime.linux, path);
    rmSync(path, { recursive: true, force: true });
  }
}

const pluginDirectories = [
  'volumes/kubernetes.io~empty-dir',
  'volumes/kubernetes.io~secret',
  'volumes/kubernetes.io~csi',
];

import { mkdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container, V1VolumeMount } from '@kubernetes/client-node';
import { containerEnvironment, expand, type RuntimeOptions } from './container.ts';
import { detachBelow } from './linux.ts';
import { bindSubPath, refuseMountSource } from './mount-sources.ts';
import type { ContainerMount } from './rootfs.ts';
import { type MountedVolume, setUpVolume, type VolumeContext } from './volumes.ts';

export interface PodVolumesOptions extends VolumeContext {
  readonly runtime: Pick<RuntimeOptions, 'linux'>;
  readonly environment: Readonly<Record<string, string>>;
}

/** The waiting state of a container that cannot be created. */
export interface CreateError {
  readonly reason: 'CreateContainerError' | 'CreateContainerConfigError';
  readonly message: string;
}

/** The CRI's limit for one call in milliseconds of the kubelet's clock, and the minimum in real milliseconds. */
const volumeTimeoutMs = 120_000;
const minTimeoutMs = 10_000;

/** Creates and removes `<kubelet root>/pods/<uid>` with the pod's volumes, their subPaths, and the hosts file. */
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

  /** Sets up the volumes in order, each with `retry`, and calls `published` after each one of a CSI driver. */
  async setUp(
    retry: <T>(operation: string, work: () => Promise<T>) => Promise<T | undefined>,
    published: (persistentVolume: string) => void,
  ): Promise<void> {
    for (const volume of this.#options.pod.spec?.volumes ?? []) {
      const mounted = await retry(`publish ${volume.name}`, () => setUpVolume(this.#options, volume));
      if (mounted) this.#volumes.push(mounted);
      if (mounted?.persistentVolume) published(mounted.persistentVolume);
    }
  }

  /** Publishes the volumes again that are set up, each with `retry`. */
  async publishAgain(retry: (operation: string, work: () => Promise<void>) => Promise<unknown>): Promise<void> {
    const published = this.#volumes.filter(({ publishAgain }) => publishAgain !== undefined);
    await Promise.all(published.map((volume) => retry(`publish ${volume.name}`, async () => volume.publishAgain?.())));
  }

  /** Prepares a container's subPaths, as the kubelet does, and then its sources, as a runtime does; returns the error if that fails. */
  async prepare(container: V1Container): Promise<CreateError | undefined> {
    const { environment, clockScale } = this.#options;
    const message = await this.#bindSubPaths(container);
    if (message !== undefined) return { reason: 'CreateContainerConfigError', message };
    const ofDrivers = new Set(this.#volumes.filter((volume) => volume.persistentVolume).map(({ name }) => name));
    const sources = (container.volumeMounts ?? []).flatMap((mount, index) =>
      ofDrivers.has(mount.name) ? [this.#toContainerMount(mount, container.name, index).source] : [],
    );
    const reasons = await Promise.all(sources.map((path) => refuseMountSource({ path, environment, clockScale })));
    const refused = reasons.find((reason) => reason !== undefined);
    return refused === undefined ? undefined : { reason: 'CreateContainerError', message: refused };
  }

  mountsOf({ name, volumeMounts = [] }: V1Container): readonly ContainerMount[] {
    return volumeMounts.map((mount, index) => this.#toContainerMount(mount, name, index));
  }

  /** Releases the volumes and removes what `setUp` created, file by file, because a recursive removal could enter a mount. */
  async release(
    containers: readonly string[],
    retry: (operation: string, work: () => Promise<void>) => Promise<unknown>,
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
        // It is missing or not empty. The release of the namespace finds and reports leftovers.
      }
  }

  /** Binds the container's subPaths; returns the reason if one fails. */
  async #bindSubPaths(container: V1Container): Promise<string | undefined> {
    const { clockScale, environment, paths, pod, uid } = this.#options;
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = this.#volumes.find(({ name }) => name === mount.name);
      const subject = `for volumeMount "${mount.name}" of container "${container.name}"`;
      const unexpanded = mount.subPath || mount.subPathExpr;
      if (!unexpanded || !volume) continue;
      const subPath = mount.subPath || expand(unexpanded, containerEnvironment(container, pod));
      if (subPath === undefined) return `failed to expand subPath ${subject}`;
      if (subPath.startsWith('/') || subPath.split('/').includes('..'))
        return `subPath "${subPath}" ${subject} leaves the volume`;
      const target = paths.subPath(uid, volume.persistentVolume ?? volume.name, container.name, index);
      const timeoutMs = Math.max(volumeTimeoutMs / clockScale, minTimeoutMs);
      const refused = await bindSubPath({ volume: volume.path, subPath, target }, { environment, timeoutMs });
      if (refused !== undefined) return `failed to prepare subPath ${subject}: ${refused}`;
    }
    return undefined;
  }

  #toContainerMount(mount: V1VolumeMount, container: string, index: number): ContainerMount {
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
    // Only plain directories and files of the kubelet are left.
    rmSync(root, { recursive: true, force: true });
  }

  #removeEmptyDir(path: string): void {
    const { paths, uid, runtime } = this.#options;
    if (!path.startsWith(join(paths.volumes(uid), 'kubernetes.io~empty-dir'))) return;
    // A sidecar may have left a mount in it, which the removal would enter.
    detachBelow(runtime.linux, path);
    rmSync(path, { recursive: true, force: true });
  }
}

const pluginDirectories = [
  'volumes/kubernetes.io~empty-dir',
  'volumes/kubernetes.io~secret',
  'volumes/kubernetes.io~csi',
];

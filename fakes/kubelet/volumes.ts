import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CoreV1Api, V1Pod, V1Volume } from '@kubernetes/client-node';
import { MNT_DETACH, MS_NODEV, MS_NOSUID } from '../../recovery/linux/syscalls.ts';
import type { RuntimeOptions } from './container.ts';
import { type CsiNode, setUpClaim, setUpInline, sha256 } from './csi-volumes.ts';

/** A volume that is set up for a pod. */
export interface MountedVolume {
  readonly name: string;
  /** Path of its content on the node. */
  readonly path: string;
  /** The PersistentVolume's name, for a volume of a CSI driver. */
  readonly persistentVolume?: string;
  /** Stages and publishes it once more, as a kubelet does after its restart. Absent for volumes without a CSI driver. */
  publishAgain?(): Promise<void>;
  release(): Promise<void>;
}

export interface VolumeContext {
  readonly api: CoreV1Api;
  readonly csi: CsiNode;
  readonly paths: KubeletPaths;
  readonly nodeName: string;
  readonly pod: V1Pod;
  readonly uid: string;
  readonly runtime: Pick<RuntimeOptions, 'linux'>;
  /** Seconds of the kubelet's clock in one real second. */
  readonly clockScale: number;
  /** How `vol_data.json` is found after the volume was published. Absent: as it was written. */
  readonly volumeData?: 'empty';
  /** Aborted when the pod is ended, or the node loses power. */
  readonly stopped: AbortSignal;
}

/** Sets up one volume of a pod. Rejects if something is missing; the caller tries again. */
export async function setUpVolume(context: VolumeContext, volume: V1Volume): Promise<MountedVolume> {
  const { paths, uid } = context;
  const nothing = async () => {};
  if (volume.hostPath) {
    if (volume.hostPath.type === 'DirectoryOrCreate') mkdirSync(volume.hostPath.path, { recursive: true });
    return { name: volume.name, path: volume.hostPath.path, release: nothing };
  }
  if (volume.secret) return setUpSecret(context, volume);
  if (volume.persistentVolumeClaim) return setUpClaim(context, volume.name, volume.persistentVolumeClaim);
  if (volume.csi) return setUpInline(context, volume.name, volume.csi);
  const path = paths.volume(uid, 'kubernetes.io/empty-dir', volume.name);
  mkdirSync(path, { recursive: true });
  if (volume.emptyDir?.medium !== 'Memory') return { name: volume.name, path, release: nothing };
  const { linux } = context.runtime;
  linux.mount('tmpfs', path, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=777');
  return { name: volume.name, path, release: async () => linux.umount(path, MNT_DETACH) };
}

async function setUpSecret({ api, paths, pod, uid }: VolumeContext, volume: V1Volume): Promise<MountedVolume> {
  const { secretName: name = '', items } = volume.secret ?? {};
  const { data = {} } = await api.readNamespacedSecret({ name, namespace: namespaceOf(pod) });
  const path = paths.volume(uid, 'kubernetes.io/secret', volume.name);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  for (const { key, path: file } of items ?? Object.keys(data).map((key) => ({ key, path: key }))) {
    const value = data[key];
    if (value === undefined) throw new Error(`references non-existent secret key: ${key}`);
    writeFileSync(join(path, file), Buffer.from(value, 'base64'), { mode: 0o644 });
  }
  return { name: volume.name, path, release: async () => rmSync(path, { recursive: true }) };
}

export function namespaceOf(pod: V1Pod): string {
  return pod.metadata?.namespace ?? 'default';
}

/** The paths below the kubelet's `--root-dir`, as in the real kubelet. */
export function kubeletPaths(root: string) {
  const pod = (uid: string) => join(root, 'pods', uid);
  const volume = (uid: string, plugin: string, name: string) =>
    join(pod(uid), 'volumes', plugin.replace('/', '~'), name);
  return {
    pods: join(root, 'pods'),
    /** Where drivers register. */
    plugins: join(root, 'plugins_registry'),
    pod,
    volumes: (uid: string) => join(pod(uid), 'volumes'),
    volume,
    /** Target path of CSI NodePublishVolume. */
    target: (uid: string, specVolume: string) => join(volume(uid, 'kubernetes.io/csi', specVolume), 'mount'),
    /** Staging path of CSI NodeStageVolume. */
    staging: (driver: string, handle: string) =>
      join(root, 'plugins/kubernetes.io/csi', driver, sha256(handle), 'globalmount'),
    hosts: (uid: string) => join(pod(uid), 'etc-hosts'),
    terminationLog: (uid: string, container: string, id: string) => join(pod(uid), 'containers', container, id),
    subPath: (uid: string, volume: string, container: string, index: number) =>
      join(pod(uid), 'volume-subpaths', volume, container, String(index)),
  };
}

export type KubeletPaths = ReturnType<typeof kubeletPaths>;

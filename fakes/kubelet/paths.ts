import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where the kubelet keeps things; the same paths as the real one's, below `--root-dir`. */
export function kubeletPaths(root: string) {
  const pod = (uid: string) => join(root, 'pods', uid);
  const volume = (uid: string, plugin: string, name: string) =>
    join(pod(uid), 'volumes', plugin.replace('/', '~'), name);
  return {
    pods: join(root, 'pods'),
    pod,
    volumes: (uid: string) => join(pod(uid), 'volumes'),
    volume,
    /** Target path of CSI NodePublishVolume. */
    target: (uid: string, persistentVolume: string) =>
      join(volume(uid, 'kubernetes.io/csi', persistentVolume), 'mount'),
    /** Staging path of CSI NodeStageVolume. */
    staging: (driver: string, handle: string) =>
      join(root, 'plugins/kubernetes.io/csi', driver, createHash('sha256').update(handle).digest('hex'), 'globalmount'),
    hosts: (uid: string) => join(pod(uid), 'etc-hosts'),
    terminationLog: (uid: string, container: string, id: string) => join(pod(uid), 'containers', container, id),
    subPath: (uid: string, volume: string, container: string, index: number) =>
      join(pod(uid), 'volume-subpaths', volume, container, String(index)),
  };
}

export type KubeletPaths = ReturnType<typeof kubeletPaths>;

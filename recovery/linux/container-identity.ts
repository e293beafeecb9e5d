import type { Mount } from '../engine/model.ts';

export interface ContainerIdentity {
  readonly podUid: string;
  readonly name: string;
}

const terminationLog = /\/pods\/([^/]+)\/containers\/([^/]+)\/[^/]+$/;
const etcHosts = /\/pods\/([^/]+)\/etc-hosts$/;

/**
 * Which container of which pod a mount table belongs to, by the files that the kubelet binds into each; undefined for
 * anything else. The termination log's path is the pod's to choose, so it is known by its root, not by its mount point; a pod may
 * mount its own /etc/hosts, but where the kubelet's is bound it has to be of the same pod.
 */
export function containerIdentity(mounts: readonly Mount[]): ContainerIdentity | undefined {
  const found = mounts.map(({ root }) => terminationLog.exec(root)).find((match) => match !== null);
  const [, podUid, name] = found ?? [];
  if (podUid === undefined || name === undefined) return undefined;
  for (const { mountPoint, root } of mounts) {
    const hosts = mountPoint === '/etc/hosts' ? etcHosts.exec(root) : null;
    if (hosts !== null && hosts[1] !== podUid) return undefined;
  }
  return { podUid, name };
}

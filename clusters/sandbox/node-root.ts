import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Linux } from '../../fakes/kubelet/linux.ts';
import { keeperDirectory } from '../../recovery/keeper/protocol.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MNT_DETACH, MS_BIND, MS_NODEV, MS_NOSUID, MS_SHARED } from '../../recovery/linux/syscalls.ts';
import type { KubeletDirectories } from './kubelets.ts';

/** Directories that the sandbox's node does not share with the machine. Empty at first. */
const ownDirectories = ['/data', keeperDirectory, '/var/lib/kubelet', '/var/lib/rekindle', '/proc'];

type Entry =
  | { readonly kind: 'own'; readonly path: string }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'bind'; readonly path: string; readonly tree: number };

export interface NodeDirectories {
  readonly kubelet: KubeletDirectories;
  readonly mountRoot: string;
  /** Of the root directory itself. */
  readonly isReadOnly: boolean;
}

/**
 * Mounts a tmpfs at `root` and makes it the root of this mount namespace. It has the machine's directories, and those of a Kubernetes
 * node in their documented places, even if the caller cannot write to the machine's root. Propagation is shared, as on a node, so that
 * mounts reach pods. The namespace owns all of it, so nothing is left when its last process ends.
 */
export function enterNodeRoot(linux: Linux, root: string, { kubelet, mountRoot, isReadOnly }: NodeDirectories): void {
  const { directory, agent: known } = kubelet;
  const own = [...new Set([...ownDirectories, directory, mountRoot])];
  // Cloned before anything is mounted at `root`, which is below one of them.
  const entries = listEntries(linux, own, '/');
  linux.mount('rekindle', root, 'tmpfs', MS_NOSUID, 'mode=755');
  for (const entry of entries) {
    const path = join(root, entry.path);
    if (entry.kind === 'link') symlinkSync(entry.to, path);
    else if (entry.path !== known) mkdirSync(path, { recursive: true });
    if (entry.kind !== 'bind') continue;
    linux.attachTree(entry.tree, path);
    linux.close(entry.tree);
  }
  for (const path of [directory, mountRoot]) mkdirSync(join(root, path), { recursive: true });
  if (known !== directory) symlinkSync(directory, join(root, known));
  linux.mount('proc', join(root, 'proc'), 'proc', MS_NOSUID | MS_NODEV);
  linux.pivotInto(root);
  // Immutable systems keep on other filesystems what they write to, and have no place for /runtime-mnt.
  if (isReadOnly) {
    for (const path of own.filter((each) => /^\/(data|mnt|run|var)(\/|$)/.test(each))) {
      linux.mount(path, path, null, MS_BIND);
      linux.mount(null, path, null, MS_SHARED);
    }
    linux.remountReadOnly('/');
  }
  for (const path of outerKubeletMounts(readFileSync('/proc/self/mountinfo', 'utf8'))) linux.umount(path, MNT_DETACH);
  linux.mount(null, '/', null, MS_SHARED);
}

/** A directory that contains one of ours is recreated entry by entry. All others are bind-mounted. */
function listEntries(linux: Linux, own: readonly string[], directory: string): readonly Entry[] {
  const here = own.filter((path) => join(path, '..') === directory);
  const others = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => !own.includes(path))
    .flatMap((path): readonly Entry[] => {
      const status = lstatSync(path);
      if (status.isSymbolicLink()) return [{ kind: 'link', path, to: readlinkSync(path) }];
      if (!status.isDirectory()) return [];
      if (own.some((each) => each.startsWith(`${path}/`)))
        return [{ kind: 'directory', path }, ...listEntries(linux, own, path)];
      return [{ kind: 'bind', path, tree: linux.cloneTree(path) }];
    });
  return [...others, ...here.map((path): Entry => ({ kind: 'own', path }))];
}

/** The files that a kubelet binds into each container, by which the agent identifies it. */
const kubeletFile = /\/pods\/[^/]+\/(etc-hosts|containers\/[^/]+\/[^/]+)$/;

/**
 * Mount points of a kubelet's files. A sandbox inside a pod, such as a Kubernetes Job, inherits them from that pod, and the agent
 * would mistake the sandbox's containers for the pod's.
 */
export function outerKubeletMounts(mountinfo: string): readonly string[] {
  return parseMountinfo(mountinfo)
    .filter(({ root }) => kubeletFile.test(root))
    .map(({ mountPoint }) => mountPoint);
}

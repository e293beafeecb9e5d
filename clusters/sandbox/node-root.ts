import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Linux } from '../../fakes/kubelet/linux.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_SHARED } from '../../recovery/linux/syscalls.ts';

/** Directories of the sandbox's node that are its own, empty at first; all else is the machine's. */
const ownDirectories = ['/data', '/runtime-mnt', '/var/lib/kubelet', '/var/lib/rekindle', '/proc'];

type Entry =
  | { readonly kind: 'own'; readonly path: string }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'bind'; readonly path: string; readonly tree: number };

/**
 * Makes a tmpfs at `at` the root of this mount namespace: the machine's directories, with those of a Kubernetes node in
 * their documented places, whether or not the caller may write to the machine's root. Shared, as a node's root is, so
 * that mounts reach pods. The namespace owns all of it: nothing is left when its last process ends.
 */
export function enterNodeRoot(linux: Linux, at: string): void {
  // Cloned before anything is mounted at `at`, which lies below one of them.
  const entries = entriesOf(linux, '/');
  linux.mount('rekindle', at, 'tmpfs', MS_NOSUID, 'mode=755');
  for (const entry of entries) {
    const path = join(at, entry.path);
    if (entry.kind === 'link') symlinkSync(entry.to, path);
    else mkdirSync(path, { recursive: true });
    if (entry.kind !== 'bind') continue;
    linux.attachTree(entry.tree, path);
    linux.close(entry.tree);
  }
  linux.mount('proc', join(at, 'proc'), 'proc', MS_NOSUID | MS_NODEV);
  linux.pivotInto(at);
  for (const path of mountsOfOuterKubelet(readFileSync('/proc/self/mountinfo', 'utf8'))) linux.umount(path, MNT_DETACH);
  linux.mount(null, '/', null, MS_SHARED);
}

/** A directory that holds one of ours is made anew and filled entry by entry; any other is taken as it is. */
function entriesOf(linux: Linux, directory: string): readonly Entry[] {
  const ours = ownDirectories.filter((path) => join(path, '..') === directory);
  const theirs = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => !ownDirectories.includes(path))
    .flatMap((path): readonly Entry[] => {
      const status = lstatSync(path);
      if (status.isSymbolicLink()) return [{ kind: 'link', path, to: readlinkSync(path) }];
      if (!status.isDirectory()) return [];
      if (ownDirectories.some((own) => own.startsWith(`${path}/`)))
        return [{ kind: 'directory', path }, ...entriesOf(linux, path)];
      return [{ kind: 'bind', path, tree: linux.cloneTree(path) }];
    });
  return [...theirs, ...ours.map((path): Entry => ({ kind: 'own', path }))];
}

/** The files by which the agent knows a container, as a kubelet binds them into each. */
const kubeletFile = /\/pods\/[^/]+\/(etc-hosts|containers\/[^/]+\/[^/]+)$/;

/**
 * Where a mount table has files of a kubelet: what a sandbox that runs inside a pod (a Kubernetes Job, say) inherits from
 * that pod. Its own containers would be taken for the pod's.
 */
export function mountsOfOuterKubelet(mountinfo: string): readonly string[] {
  return parseMountinfo(mountinfo)
    .filter(({ root }) => kubeletFile.test(root))
    .map(({ mountPoint }) => mountPoint);
}

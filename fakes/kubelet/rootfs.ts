import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MS_BIND, MS_NOSUID, MS_PRIVATE, MS_REC, MS_SLAVE } from '../../recovery/linux/syscalls.ts';
import { type Linux, LinuxError } from './linux.ts';

/** A mount of a container, `Mount` in the CRI. */
export interface ContainerMount {
  /** Path on the node. */
  readonly source: string;
  /** Path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: 'None' | 'HostToContainer' | 'Bidirectional';
}

/** A container mount whose source was cloned before the container's namespace was entered. */
export interface ClonedMount extends ContainerMount {
  readonly tree: number;
  readonly isDirectory: boolean;
  /** Must be made read-only once it is attached, because the kernel cannot do it before. */
  readonly remountReadOnly: boolean;
}

/** Top-level directories of the container's own; all others are the machine's and stand in for an image's. */
export const ownDirectories: ReadonlySet<string> = new Set([
  'proc',
  'dev',
  'sys',
  'tmp',
  'run',
  'var',
  'data',
  'runtime-mnt',
  'mnt',
  'media',
  'boot',
  'lost+found',
]);
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'fuse'];

export interface Rootfs {
  /** An empty directory of the node, on which the root is built. */
  readonly root: string;
  /** Further paths of the machine that the root must contain, such as the run's own programs. */
  readonly keep: readonly string[];
  /** A directory of the node that is the lower layer of the root, as a snapshotter provides it. */
  readonly image?: string | undefined;
  /** Symbolic links of the image, relative to its root: the path of each and what it leads to. */
  readonly links?: Readonly<Record<string, string>> | undefined;
  /** `readOnlyRootFilesystem`: only volumes and /dev can be written to. */
  readonly isReadOnly?: boolean | undefined;
}

/**
 * Builds a container's root on a tmpfs and makes it the root of the calling thread's new mount namespace. It has
 * the machine's programs in place of an image's, its own /dev, and the pod's volumes with the propagation that the pod requests.
 */
export function enterRootfs(linux: Linux, mounts: readonly ClonedMount[], rootfs: Rootfs): void {
  const { root, keep, image, links = {}, isReadOnly = false } = rootfs;
  linux.mount(null, '/', null, MS_SLAVE | MS_REC);
  linux.mount('container', root, 'tmpfs', MS_NOSUID, 'mode=755');
  if (image !== undefined) mountImage(linux, root, image);
  for (const name of readdirSync('/')) {
    const path = `/${name}`;
    if (ownDirectories.has(name)) continue;
    const status = lstatSync(path);
    if (status.isSymbolicLink()) symlinkSync(readlinkSync(path), join(root, name));
    else if (status.isDirectory()) bindMachine(linux, path, root);
  }
  for (const [path, to] of Object.entries(links)) {
    mkdirSync(join(root, to), { recursive: true });
    // The image may have an empty directory there.
    if (lstatSync(join(root, path), { throwIfNoEntry: false })) rmdirSync(join(root, path));
    symlinkSync(to, join(root, path));
  }
  for (const name of ['proc', 'sys', 'tmp', 'run', 'var/tmp', 'data', 'mnt'])
    mkdirSync(join(root, name), { recursive: true });
  for (const path of keep) if (ownDirectories.has(path.split('/')[1] ?? '')) bindMachine(linux, path, root);
  linux.mount('/sys', join(root, 'sys'), null, MS_BIND | MS_REC);
  // A user namespace may mount a /proc for its new PID namespace only if another /proc is visible.
  linux.mount('/proc', join(root, 'proc'), null, MS_BIND | MS_REC);
  makeDevices(linux, root);
  const volumes = mounts.map((mount) => attachVolume(linux, root, mount));
  if (isReadOnly) makeReadOnly(linux, root, [join(root, 'dev'), join(root, 'proc'), ...volumes]);
  linux.pivotInto(root);
}

function mountImage(linux: Linux, root: string, image: string): void {
  const [upper, work] = [join(root, 'upper'), join(root, 'work')];
  for (const path of [upper, work]) mkdirSync(path);
  linux.mount('overlay', root, 'overlay', MS_NOSUID, `lowerdir=${image},upperdir=${upper},workdir=${work}`);
}

function makeReadOnly(linux: Linux, root: string, kept: readonly string[]): void {
  const isBelow = (path: string, directory: string) => path === directory || path.startsWith(`${directory}/`);
  for (const { mountPoint } of parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8'))) {
    if (!isBelow(mountPoint, root) || kept.some((path) => isBelow(mountPoint, path))) continue;
    try {
      linux.remountReadOnly(mountPoint);
    } catch (error) {
      // Another mount hides it, so that its path leads to no mount point.
      if (!(error instanceof LinuxError && error.code === 'EINVAL')) throw error;
    }
  }
}

function bindMachine(linux: Linux, path: string, root: string): void {
  mkdirSync(join(root, path), { recursive: true });
  linux.mount(path, join(root, path), null, MS_BIND | MS_REC);
}

function makeDevices(linux: Linux, root: string): void {
  const dev = join(root, 'dev');
  mkdirSync(dev);
  linux.mount('dev', dev, 'tmpfs', MS_NOSUID, 'mode=755');
  for (const name of devices.filter((name) => lstatSync(`/dev/${name}`, { throwIfNoEntry: false }))) {
    writeFileSync(join(dev, name), '');
    linux.mount(`/dev/${name}`, join(dev, name), null, MS_BIND);
  }
  for (const [name, to] of Object.entries({ fd: '/proc/self/fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2' }))
    symlinkSync(to, join(dev, name));
  mkdirSync(join(dev, 'shm'));
}

/** Returns the mount point: as a runtime does, it follows the links of the image. */
function attachVolume(linux: Linux, root: string, mount: ClonedMount): string {
  const path = join(root, mount.target);
  if (mount.isDirectory) mkdirSync(path, { recursive: true });
  else if (!lstatSync(path, { throwIfNoEntry: false })) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }
  const target = realpathSync(path);
  linux.attachTree(mount.tree, target);
  // The namespace is not visible to any other process yet.
  if (mount.remountReadOnly) linux.remountReadOnly(target);
  if (mount.propagation === 'Bidirectional') return target;
  const kind = mount.propagation === 'HostToContainer' ? MS_SLAVE : MS_PRIVATE;
  linux.mount(null, target, null, kind | MS_REC);
  return target;
}

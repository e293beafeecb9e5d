import type { DeviceId } from '../../engine/model.ts';
import type { Result } from '../../engine/ports.ts';
import { failed, ok } from '../result.ts';
import {
  AT_FDCWD,
  type AttributeChange,
  CLONE_NEWNS,
  MNT_FORCE,
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_UNBINDABLE,
  RESOLVE_CACHED,
  type Syscalls,
} from '../syscalls.ts';
import type { KernelModel, MountUser } from './kernel-model.ts';
import {
  type Dentry,
  type Filesystem,
  followDown,
  isRoot,
  type MountNamespace,
  type VfsMount,
  type VfsPath,
} from './mounts.ts';
import { type Propagation, wouldOvermount } from './propagation.ts';
import { tableText } from './table-text.ts';

/** What a descriptor refers to. `tree`: a detached mount, which ends with the descriptor unless it is attached. */
type OpenFile =
  | { readonly kind: 'path'; readonly path: VfsPath }
  | { readonly kind: 'tree'; readonly path: VfsPath }
  | { readonly kind: 'proc' }
  | { readonly kind: 'table'; readonly path: VfsPath }
  | { readonly kind: 'namespace'; readonly namespace: MountNamespace }
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'user' };

export interface ModelledProcessOptions {
  readonly kernel: KernelModel;
  readonly namespace?: MountNamespace;
  /** The mount namespace of another process; undefined if it has ended. */
  readonly namespaceOf?: (pid: number) => MountNamespace | undefined;
  /** Called before each call with its name; may throw to end the process, or return an errno with which the call fails. */
  readonly before?: (call: string) => string | undefined;
  /** Makes the file system that `mount(2)` of this type mounts; a tmpfs by default. Undefined: the type is unknown. */
  readonly filesystem?: (fstype: string, source: string) => Filesystem | undefined;
}

/** A thread of a modelled process that makes system calls. */
export class ModelledSyscalls implements Syscalls, MountUser {
  namespace: MountNamespace;
  readonly #kernel: KernelModel;
  readonly #options: ModelledProcessOptions;
  readonly #files = new Map<number, OpenFile>();
  #root: VfsPath;
  #directory: VfsPath | 'proc';

  constructor(options: ModelledProcessOptions) {
    this.#options = options;
    this.#kernel = options.kernel;
    this.namespace = options.namespace ?? options.kernel.initial;
    this.#root = this.#kernel.rootOf(this.namespace);
    this.#directory = this.#root;
    this.#kernel.users.add(this);
  }

  /** Ends the process: the kernel closes its descriptors. */
  exit(): void {
    for (const file of this.#files.values()) this.#closed(file);
    this.#files.clear();
    this.#kernel.users.delete(this);
    this.#kernel.mayHaveFreed();
  }

  /** The text of its mountinfo, as another process reads it. */
  get table(): string {
    return tableText(this.#root);
  }

  *namespaces(): Generator<MountNamespace> {
    for (const file of this.#files.values()) if (file.kind === 'namespace') yield file.namespace;
  }

  *paths(): Generator<VfsPath> {
    yield this.#root;
    if (this.#directory !== 'proc') yield this.#directory;
    for (const file of this.#files.values()) if ('path' in file) yield file.path;
  }

  moveRoot(from: VfsPath, to: VfsPath): void {
    const isSame = (path: VfsPath | 'proc') =>
      path !== 'proc' && path.mount === from.mount && path.dentry === from.dentry;
    if (isSame(this.#root)) this.#root = to;
    if (isSame(this.#directory)) this.#directory = to;
  }

  open(path: string): Result<number> {
    return this.#call('open', path, () => {
      if (path === '/proc/thread-self/ns/mnt') return this.#add({ kind: 'namespace', namespace: this.namespace });
      if (path === '/proc') return this.#add({ kind: 'proc' });
      if (path === '.')
        return this.#add(this.#directory === 'proc' ? { kind: 'proc' } : { kind: 'path', path: this.#directory });
      const [, pid] = /^\/proc\/(\d+)\/ns\/user$/.exec(path) ?? [];
      if (pid !== undefined) return this.#isRunning(Number(pid)) ? this.#add({ kind: 'user' }) : 'ENOENT';
      const found = this.#walk(AT_FDCWD, path);
      return typeof found === 'string' ? found : this.#add({ kind: 'path', path: found });
    });
  }

  openat2({ at, path, resolve }: { at: number; path: string; flags: number; resolve: number }): Result<number> {
    return this.#call('openat2', path, () => {
      const file = this.#files.get(at);
      if (file?.kind === 'proc') {
        if (path === 'thread-self/mountinfo') return this.#add({ kind: 'table', path: this.#root });
        if (path === 'thread-self/ns/mnt') return this.#add({ kind: 'namespace', namespace: this.namespace });
        const [, pid] = /^(\d+)\/ns\/mnt$/.exec(path) ?? [];
        const namespace = pid === undefined ? undefined : this.#options.namespaceOf?.(Number(pid));
        return namespace === undefined ? 'ENOENT' : this.#add({ kind: 'namespace', namespace });
      }
      const cached = (resolve & RESOLVE_CACHED) !== 0;
      if (cached && !this.#kernel.isSince('5.12')) return 'EAGAIN';
      if (path === '') return 'ENOENT';
      const found = this.#walk(at, path, cached);
      return typeof found === 'string' ? found : this.#add({ kind: 'path', path: found });
    });
  }

  close(fd: number): void {
    this.#closed(this.#files.get(fd));
    this.#files.delete(fd);
    this.#kernel.mayHaveFreed();
  }

  closeInPool(fd: number): void {
    this.close(fd);
  }

  /** A detached tree ends with its descriptor. */
  #closed(file: OpenFile | undefined): void {
    if (file?.kind !== 'tree') return;
    const { mount } = file.path;
    if (mount.namespace?.isAnonymous && mount.namespace.root === mount) this.#kernel.remove(mount, false);
  }

  replaceDescriptor(): Result<void> {
    return this.#unsupported('dup3');
  }

  readText(fd: number): Result<string> {
    return this.#call('read', '', () => {
      const file = this.#files.get(fd);
      if (file?.kind !== 'table') return 'EBADF';
      this.#kernel.prepare();
      return ok(tableText(file.path));
    });
  }

  readNumbered(): Result<never> {
    return this.#unsupported('getdents64');
  }

  readSomeNumbered(): Result<never> {
    return this.#unsupported('getdents64');
  }

  identify(fd: number) {
    return this.#call('statx', '', () => {
      const file = this.#files.get(fd);
      if (file?.kind === 'namespace')
        return ok({ mountId: 0, device: '0:4' as DeviceId, inode: file.namespace.inode, isMountRoot: false });
      const path = this.#path(fd);
      if (path === undefined) return 'EBADF';
      const { mount } = path;
      return ok({ mountId: mount.id, device: mount.filesystem.device, inode: 0, isMountRoot: isRoot(path) });
    });
  }

  placement(fd: number) {
    return this.#call('statmount', '', () => {
      const path = this.#path(fd);
      if (path === undefined) return 'EBADF';
      const { namespace, parent, children, id } = path.mount;
      if (namespace !== this.namespace) return 'ENOENT';
      return ok({ parentId: parent?.id ?? id, carries: children.size > 0 });
    });
  }

  cloneTree(fd: number, recursive: boolean): Result<number> {
    return this.#change('open_tree', '', () => {
      const path = this.#path(fd);
      if (path === undefined) return 'EBADF';
      const copied = this.#copy(path, recursive);
      if (typeof copied === 'string') return copied;
      const from = path.mount.namespace;
      this.#kernel.anonymous(copied, from?.isAnonymous ? from.origin : from);
      return this.#add({ kind: 'tree', path: { mount: copied, dentry: copied.root } });
    });
  }

  #copy({ mount, dentry }: VfsPath, recursive: boolean): VfsMount | string {
    const { namespace } = mount;
    // A mount of another namespace, or one that is unmounted, cannot be copied; a detached tree's root or inner mounts can.
    if (mount.isUnbindable || namespace === undefined) return 'EINVAL';
    if (!this.#mayUse(namespace)) return 'EINVAL';
    const isLocked = [...mount.children].some((child) => child.isLocked && child.mountpoint?.isWithin(dentry));
    if (!recursive && isLocked) return 'EINVAL';
    if (!recursive) return this.#kernel.propagation.copy(mount, dentry, {});
    if (hidesLocked(mount, dentry)) return 'EPERM';
    return this.#kernel.propagation.copyTree(mount, dentry, {}) ?? 'EINVAL';
  }

  /** Whether mounts of a namespace may be copied and may have something attached to them. */
  #mayUse(namespace: MountNamespace): boolean {
    const { isAnonymous, origin } = namespace;
    const hasDetached = isAnonymous && this.#kernel.isSince('6.15');
    return namespace === this.namespace || (hasDetached && (origin === undefined || origin === this.namespace));
  }

  setAttributes(fd: number, change: AttributeChange): Result<void> {
    return this.#change('mount_setattr', '', () => {
      if (!this.#kernel.isSince('5.12')) return 'ENOSYS';
      const path = this.#path(fd);
      const { set, clear, userNamespace } = change;
      if (set === 0 && clear === 0 && !change.private && userNamespace === undefined) return ok(undefined);
      if (path === undefined) return 'EBADF';
      const { mount } = path;
      const { namespace } = mount;
      if (!isRoot(path) || namespace === undefined) return 'EINVAL';
      if (namespace !== this.namespace && !(namespace.isAnonymous && namespace.root === mount)) return 'EINVAL';
      if (userNamespace !== undefined) {
        // A mount can be mapped once, before anyone sees it.
        if (!namespace.isAnonymous) return 'EINVAL';
        if (mount.options.has('idmapped')) return 'EPERM';
      }
      const changing = change.recursive ? mount.tree() : [mount];
      if (changing.some((each) => !each.allows(changedOptions(each.options, change)))) return 'EPERM';
      for (const each of changing) {
        each.options = changedOptions(each.options, change);
        if (change.private) this.#kernel.propagation.change(each, 'private');
      }
      this.#kernel.changed(namespace);
      return ok(undefined);
    });
  }

  moveMount(
    from: number,
    { at, path, beneath = false }: { at: number; path: string; beneath?: boolean },
  ): Result<void> {
    return this.#change('move_mount', path, () => {
      if (beneath && !this.#kernel.isSince('6.5')) return 'EINVAL';
      const source = this.#path(from);
      const found = path === '' ? this.#path(at) : this.#walk(at, path);
      if (source === undefined || found === undefined) return 'EBADF';
      if (typeof found === 'string') return found;
      return this.#attachAt(source, found, beneath) ?? ok(undefined);
    });
  }

  /** `do_move_mount`. Gives the errno of a refusal. */
  #attachAt(source: VfsPath, target: VfsPath, beneath: boolean): string | undefined {
    if (!isRoot(source)) return 'EINVAL';
    if (beneath && !isRoot(target)) return 'EINVAL';
    const top = followDown(target);
    const over = beneath ? top.mount : undefined;
    const parent = over === undefined ? top.mount : over.parent;
    const mountpoint = over === undefined ? top.dentry : over.mountpoint;
    if (parent === undefined || mountpoint === undefined) return 'EINVAL';
    if (parent.namespace === undefined || mountpoint.isUnreachable) return 'ENOENT';
    const { mount: old } = source;
    const isOwn = old.namespace === this.namespace;
    if (isOwn) {
      if (old.parent === undefined || old.isLocked || old.parent.group !== undefined) return 'EINVAL';
      if (parent.namespace !== this.namespace) return 'EINVAL';
    } else {
      const { namespace } = old;
      if (namespace === undefined || !namespace.isAnonymous || namespace.root !== old) return 'EINVAL';
      if (namespace === parent.namespace) return 'EINVAL';
      if (!this.#mayUse(parent.namespace)) return 'EINVAL';
    }
    if (over !== undefined) {
      if (old.on(old.root) !== undefined) return 'EINVAL';
      // Linux 7.2 allows it, 6.18 does not.
      if (!this.#kernel.isSince('7.1'))
        if (over.isLocked || over === this.#root.mount || parent === this.namespace.root) return 'EINVAL';
      if (old.isWithin(over)) return 'EINVAL';
      if (wouldOvermount(parent, over, mountpoint)) return 'EINVAL';
      if (isOwn && wouldOvermount(parent, old, mountpoint)) return 'EINVAL';
    }
    if (parent.group !== undefined && [...old.tree()].some(({ isUnbindable }) => isUnbindable)) return 'EINVAL';
    if (parent.isWithin(old)) return 'ELOOP';
    // Something may have to be mounted on its root, which must be possible.
    if (old.topmost.root.isUnreachable) return 'ENOENT';
    this.#kernel.attach(old, parent, mountpoint, this.namespace);
    return undefined;
  }

  mount({
    source,
    target,
    fstype,
    flags,
  }: {
    source: string | null;
    target: string;
    fstype: string | null;
    flags: number;
    data?: string;
  }): Result<void> {
    return this.#change('mount', target, () => {
      const found = this.#walk(AT_FDCWD, target);
      if (typeof found === 'string') return found;
      const { mount } = found;
      if (flags & MS_REMOUNT) {
        if (mount.namespace !== this.namespace || !isRoot(found)) return 'EINVAL';
        const options = remounted(mount.options, flags);
        if (!mount.allows(options)) return 'EPERM';
        mount.options = options;
        this.#kernel.changed(this.namespace);
        return ok(undefined);
      }
      if (flags & MS_BIND) {
        const from = this.#walk(AT_FDCWD, source ?? '');
        if (typeof from === 'string') return from;
        const refused = this.#refusal(found);
        if (refused !== undefined) return refused;
        const copied = this.#copy(from, (flags & MS_REC) !== 0);
        if (typeof copied === 'string') return copied;
        return this.#graft(copied, found);
      }
      const type = propagationOf(flags);
      if (type !== undefined) {
        if (!isRoot(found) || mount.namespace !== this.namespace) return 'EINVAL';
        for (const each of flags & MS_REC ? [...mount.tree()] : [mount]) this.#kernel.propagation.change(each, type);
        return ok(undefined);
      }
      const filesystem =
        this.#options.filesystem?.(fstype ?? '', source ?? '') ??
        this.#kernel.filesystem({ fstype: fstype ?? '', source: source ?? '' });
      if (flags & MS_RDONLY) filesystem.superOptions = 'ro';
      return this.#graft(this.#kernel.propagation.create(filesystem.root, newOptions(flags)), found);
    });
  }

  /** Why nothing can be mounted at a path. */
  #refusal(target: VfsPath): string | undefined {
    const { mount, dentry } = followDown(target);
    if (mount.namespace === undefined || dentry.isUnreachable) return 'ENOENT';
    return mount.namespace === this.namespace ? undefined : 'EINVAL';
  }

  #graft(tree: VfsMount, target: VfsPath): Result<void> | string {
    const { mount, dentry } = followDown(target);
    const refused = this.#refusal(target) ?? (tree.topmost.root.isUnreachable ? 'ENOENT' : undefined);
    if (refused !== undefined) {
      this.#kernel.remove(tree, false);
      return refused;
    }
    this.#kernel.attach(tree, mount, dentry, this.namespace);
    return ok(undefined);
  }

  umount(path: string, flags: number): Result<void> {
    return this.#change('umount2', path, () => {
      const walked = this.#walk(AT_FDCWD, path);
      if (typeof walked === 'string') return walked;
      const found = followDown(walked);
      const { mount } = found;
      if (!isRoot(found) || mount.namespace !== this.namespace || mount.isLocked) return 'EINVAL';
      const { connection } = mount.filesystem;
      if (flags & MNT_FORCE && connection !== undefined) connection.state = 'dead';
      if (mount.parent === undefined) return 'EINVAL';
      this.#kernel.remove(mount, true);
      return ok(undefined);
    });
  }

  pivotRoot(newRoot: string, putOld: string): Result<void> {
    return this.#change('pivot_root', newRoot, () => {
      const to = this.#walk(AT_FDCWD, newRoot);
      const old = this.#walk(AT_FDCWD, putOld);
      if (typeof to === 'string' || typeof old === 'string') return typeof to === 'string' ? to : 'ENOENT';
      const { parent, mountpoint } = this.#root.mount;
      if (!isRoot(to) || to.mount === this.#root.mount || parent === undefined || mountpoint === undefined)
        return 'EINVAL';
      if (parent.group !== undefined || to.mount.parent?.group !== undefined || old.mount.group !== undefined)
        return 'EINVAL';
      const before = this.#root;
      to.mount.disconnect();
      before.mount.disconnect();
      before.mount.putOn(old.mount, old.dentry);
      to.mount.putOn(parent, mountpoint);
      for (const user of this.#kernel.users) user.moveRoot(before, { mount: to.mount, dentry: to.dentry });
      return ok(undefined);
    });
  }

  fsmount(fstype: string): Result<number> {
    return this.#change('fsmount', fstype, () => {
      const filesystem = this.#kernel.filesystem({ fstype, source: 'none' });
      const mount = this.#kernel.propagation.create(filesystem.root, ['rw', 'relatime']);
      this.#kernel.anonymous(mount);
      return this.#add({ kind: 'tree', path: { mount, dentry: mount.root } });
    });
  }

  fchdir(fd: number): Result<void> {
    return this.#call('fchdir', '', () => {
      const file = this.#files.get(fd);
      if (file?.kind === 'proc') this.#directory = 'proc';
      else if (file?.kind === 'path') this.#directory = file.path;
      else return 'EBADF';
      return ok(undefined);
    });
  }

  setns(fd: number): Result<void> {
    return this.#call('setns', '', () => {
      const file = this.#files.get(fd);
      const namespace = file?.kind === 'process' ? this.#options.namespaceOf?.(file.pid) : undefined;
      if (file?.kind === 'process' && namespace === undefined) return 'ESRCH';
      const entered = file?.kind === 'namespace' ? file.namespace : namespace;
      if (entered === undefined) return 'EINVAL';
      this.namespace = entered;
      this.#root = this.#kernel.rootOf(entered);
      this.#directory = this.#root;
      this.#kernel.mayHaveFreed();
      return ok(undefined);
    });
  }

  unshare(flags: number): Result<void> {
    return this.#change('unshare', '', () => {
      if ((flags & CLONE_NEWNS) === 0) return ok(undefined);
      const { namespace, copies } = this.#kernel.copyNamespace(this.namespace, 0);
      const moved = ({ mount, dentry }: VfsPath): VfsPath => ({ mount: copies.get(mount) ?? mount, dentry });
      this.namespace = namespace;
      this.#root = moved(this.#root);
      if (this.#directory !== 'proc') this.#directory = moved(this.#directory);
      return ok(undefined);
    });
  }

  /** Copies the namespace for a new user namespace, as a process does that is started with `CLONE_NEWUSER | CLONE_NEWNS`. */
  copyForUser(): Result<number> {
    return this.#change('clone', '', () => {
      const { namespace } = this.#kernel.copyNamespace(this.namespace, this.#kernel.newUser());
      return this.#add({ kind: 'namespace', namespace });
    });
  }

  pidfdOpen(pid: number): Result<number> {
    return this.#call('pidfd_open', '', () => (this.#isRunning(pid) ? this.#add({ kind: 'process', pid }) : 'ESRCH'));
  }

  pipe(): Result<never> {
    return this.#unsupported('pipe2');
  }

  waitReadable(): Result<boolean> {
    return this.#unsupported('poll');
  }

  pollPriority(): Result<boolean> {
    return this.#unsupported('poll');
  }

  epollPriority(): Result<number> {
    return this.#unsupported('epoll_ctl');
  }

  readlink(path: string): Result<string> {
    return this.#call('readlink', path, () =>
      path === '/proc/thread-self/ns/mnt' ? ok(`mnt:[${this.namespace.inode}]`) : 'ENOENT',
    );
  }

  mkdir(path: string): Result<void> {
    return this.#call('mkdir', path, () => {
      const at = path.lastIndexOf('/');
      const parent = this.#walk(AT_FDCWD, path.slice(0, at) || '/');
      if (typeof parent === 'string') return parent;
      const name = path.slice(at + 1);
      if (name === '') return 'EEXIST';
      const known = this.#kernel.lookUpNew(parent.dentry, name);
      if (typeof known !== 'string') return 'EEXIST';
      if (known !== 'ENOENT') return known;
      if (parent.mount.options.has('ro') || parent.dentry.filesystem.superOptions === 'ro') return 'EROFS';
      if (parent.dentry.filesystem.connection !== undefined) return 'ENOSYS';
      parent.dentry.child(name);
      return ok(undefined);
    });
  }

  rmdir(path: string): Result<void> {
    return this.#call('rmdir', path, () => {
      const at = path.lastIndexOf('/');
      const parent = this.#walk(AT_FDCWD, path.slice(0, at) || '/');
      if (typeof parent === 'string') return parent;
      const dentry = parent.dentry.children.get(path.slice(at + 1));
      if (dentry === undefined) return 'ENOENT';
      if (parent.mount.on(dentry) !== undefined) return 'EBUSY';
      if (dentry.children.size > 0) return 'ENOTEMPTY';
      dentry.remove();
      this.#kernel.dropMounts(dentry);
      return ok(undefined);
    });
  }

  /** The names in a directory; an errno or, if its daemon does not answer, `hangs`. */
  list(fd: number): string {
    const path = this.#path(fd);
    if (path === undefined) return 'EBADF';
    const { filesystem, path: directory, children } = path.dentry;
    const { connection } = filesystem;
    if (connection === undefined) return [...children.keys()].sort().join();
    if (connection.state === 'dead') return connection.errno;
    if (connection.state !== 'live') return 'hangs';
    const below = directory === '/' ? '' : `${directory.slice(1)}/`;
    return [...connection.entries]
      .filter((entry) => entry.startsWith(below) && !entry.slice(below.length).includes('/'))
      .map((entry) => entry.slice(below.length))
      .sort()
      .join();
  }

  /** The mount and file that a descriptor refers to. */
  #path(fd: number): VfsPath | undefined {
    const file = this.#files.get(fd);
    return file?.kind === 'path' || file?.kind === 'tree' ? file.path : undefined;
  }

  #walk(at: number, path: string, cached = false): VfsPath | string {
    const [, fd] = /^thread-self\/fd\/(\d+)$/.exec(path) ?? [];
    if (fd !== undefined && this.#directory === 'proc') return this.#path(Number(fd)) ?? 'ENOENT';
    const from = path.startsWith('/') ? this.#root : at === AT_FDCWD ? this.#directory : this.#path(at);
    if (from === undefined || from === 'proc') return 'EBADF';
    // What is mounted on the root itself is not followed.
    return this.#kernel.walk(from, path, cached);
  }

  #isRunning(pid: number): boolean {
    return this.#options.namespaceOf?.(pid) !== undefined;
  }

  #add(file: OpenFile): Result<number> {
    let fd = 3;
    while (this.#files.has(fd)) fd += 1;
    this.#files.set(fd, file);
    return ok(fd);
  }

  #call<T>(call: string, path: string, run: () => Result<T> | string): Result<T> {
    const refused = this.#options.before?.(call);
    const result = refused ?? run();
    return typeof result === 'string' ? failed({ errno: result, call, path, step: '' }) : result;
  }

  /** A call that may change mount tables. */
  #change<T>(call: string, path: string, run: () => Result<T> | string): Result<T> {
    return this.#call(call, path, () => {
      this.#kernel.prepare();
      const result = run();
      this.#kernel.mayHaveFreed();
      return result;
    });
  }

  #unsupported(call: string): Result<never> {
    return failed({ errno: 'ENOSYS', call, path: '', step: '' });
  }
}

/** Whether a recursive copy would omit a mount that is locked, because it is unbindable. */
function hidesLocked(mount: VfsMount, directory: Dentry): boolean {
  return [...mount.children].some(
    (child) =>
      child.mountpoint?.isWithin(directory) && (child.isUnbindable ? child.isLocked : hidesLocked(child, child.root)),
  );
}

function propagationOf(flags: number): Propagation | undefined {
  if (flags & MS_SHARED) return 'shared';
  if (flags & MS_SLAVE) return 'slave';
  if (flags & MS_PRIVATE) return 'private';
  return flags & MS_UNBINDABLE ? 'unbindable' : undefined;
}

const options: readonly { readonly name: string; readonly flag: number; readonly attribute: number }[] = [
  { name: 'ro', flag: MS_RDONLY, attribute: MOUNT_ATTR_RDONLY },
  { name: 'nosuid', flag: MS_NOSUID, attribute: MOUNT_ATTR_NOSUID },
  { name: 'nodev', flag: MS_NODEV, attribute: MOUNT_ATTR_NODEV },
  { name: 'noexec', flag: MS_NOEXEC, attribute: MOUNT_ATTR_NOEXEC },
  { name: 'nodiratime', flag: MS_NODIRATIME, attribute: MOUNT_ATTR_NODIRATIME },
  { name: 'nosymfollow', flag: MS_NOSYMFOLLOW, attribute: MOUNT_ATTR_NOSYMFOLLOW },
];

function newOptions(flags: number): Set<string> {
  const found = new Set(options.filter(({ flag }) => flags & flag).map(({ name }) => name));
  if (flags & MS_NOATIME) found.add('noatime');
  else if (!(flags & MS_STRICTATIME)) found.add('relatime');
  return found;
}

/** Flags of a remount replace all options, except that access times stay as they are unless a flag is about them. */
function remounted(before: ReadonlySet<string>, flags: number): ReadonlySet<string> {
  const found = newOptions(flags);
  if (before.has('idmapped')) found.add('idmapped');
  if (flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)) return found;
  for (const option of ['noatime', 'nodiratime', 'relatime']) {
    found.delete(option);
    if (before.has(option)) found.add(option);
  }
  return found;
}

function changedOptions(
  before: ReadonlySet<string>,
  { set, clear, userNamespace }: AttributeChange,
): ReadonlySet<string> {
  const found = new Set(before);
  for (const { name, attribute } of options) {
    if (clear & attribute) found.delete(name);
    if (set & attribute) found.add(name);
  }
  if (clear & MOUNT_ATTR__ATIME) {
    found.delete('noatime');
    found.delete('relatime');
    if (set & MOUNT_ATTR_NOATIME) found.add('noatime');
    else if (!(set & MOUNT_ATTR_STRICTATIME)) found.add('relatime');
  }
  if (userNamespace !== undefined || set & MOUNT_ATTR_IDMAP) found.add('idmapped');
  return found;
}

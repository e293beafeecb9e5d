import type { DeviceId } from '../../engine/model.ts';
import { isSince } from '../kernel-tier.ts';
import type { FuseConnection } from './connection.ts';
import {
  type Dentry,
  Filesystem,
  type FilesystemFacts,
  followDown,
  type MountNamespace,
  type VfsMount,
  type VfsPath,
} from './mounts.ts';
import { MountPropagation } from './propagation.ts';
import { lookUp, mountsBelow, walk } from './walk.ts';

/** What keeps mounts in use besides namespaces: a process's open files, root and working directory. */
export interface MountUser {
  namespace: MountNamespace;
  /** The namespaces that it has open. */
  namespaces(): Iterable<MountNamespace>;
  /** The paths that it has open, or that are its root and its working directory. */
  paths(): Iterable<VfsPath>;
  /** Moves root and working directory from one directory to another (`pivot_root`). */
  moveRoot(from: VfsPath, to: VfsPath): void;
}

export interface KernelModelOptions {
  /** Milliseconds. */
  readonly now?: () => number;
  /** First number of the devices that are made (`0:<minor>`). */
  readonly firstMinor?: number;
  /** The release that it behaves like, `uname -r`: by default the newest that the model knows. */
  readonly release?: string;
}

const firstInode = 4026531840;

/**
 * A modelled kernel: mount namespaces, mounts, propagation and FUSE connections. Processes use it through `ModelledSyscalls`.
 * `rekindle simulate --against-kernel` compares it with the running kernel.
 */
export class KernelModel {
  readonly now: () => number;
  readonly users = new Set<MountUser>();
  readonly propagation: MountPropagation;
  /** The namespace that exists at the beginning: a hidden root with one file system on it. */
  readonly initial: MountNamespace;
  readonly #kept = new Set<MountNamespace>();
  readonly #usedMounts = new Set<number>();
  readonly #usedGroups = new Set<number>();
  readonly #usedMinors = new Set<number>();
  readonly #watchers = new Set<(namespace: MountNamespace) => void>();
  #mayHaveFree = false;
  #nextInode = firstInode;
  #users = 0;
  readonly #firstMinor: number;
  readonly #release: string;

  constructor({ now = () => 0, firstMinor = 40, release = '6.18' }: KernelModelOptions = {}) {
    this.now = now;
    this.#release = release;
    this.#firstMinor = firstMinor;
    const free = (used: Set<number>) => {
      let number = 1;
      while (used.has(number)) number += 1;
      used.add(number);
      return number;
    };
    this.propagation = new MountPropagation(
      {
        mount: () => free(this.#usedMounts),
        group: () => free(this.#usedGroups),
      },
      (version) => this.isSince(version),
    );
    const hidden = this.propagation.create(
      new Filesystem({ device: '0:1' as DeviceId, fstype: 'rootfs', source: 'rootfs' }).root,
      ['rw'],
    );
    this.initial = this.#namespace(hidden, { isAnonymous: false, owner: 0 });
    const disk = new Filesystem({ device: '8:1' as DeviceId, fstype: 'ext4', source: '/dev/root' });
    disk.root.child('proc');
    this.attach(this.propagation.create(disk.root, ['rw', 'relatime']), hidden, hidden.root, this.initial);
    this.keep(this.initial);
  }

  /** Whether it behaves like Linux of this version or a later one. */
  isSince(version: string): boolean {
    return isSince(this.#release, version);
  }

  /** Keeps a namespace, as a process in it does. */
  keep(namespace: MountNamespace): Disposable {
    this.#kept.add(namespace);
    return {
      [Symbol.dispose]: () => {
        this.#kept.delete(namespace);
        this.mayHaveFreed();
      },
    };
  }

  /** Keeps a path in use, as a request does that waits for its daemon. */
  hold(path: VfsPath): Disposable {
    const user: MountUser = {
      namespace: this.initial,
      namespaces: () => [],
      paths: () => [path],
      moveRoot: () => undefined,
    };
    this.users.add(user);
    return {
      [Symbol.dispose]: () => {
        this.users.delete(user);
        this.mayHaveFreed();
      },
    };
  }

  #namespace(root: VfsMount, facts: Pick<MountNamespace, 'isAnonymous' | 'owner' | 'origin'>): MountNamespace {
    this.#nextInode += 1;
    const namespace = { inode: this.#nextInode, root, ...facts };
    for (const mount of root.tree()) mount.namespace = namespace;
    return namespace;
  }

  /** A detached tree, a copy of a part of a namespace or a new file system. */
  anonymous(root: VfsMount, origin?: MountNamespace): MountNamespace {
    const owner = origin?.owner ?? 0;
    return this.#namespace(root, { isAnonymous: true, owner, ...(origin === undefined ? {} : { origin }) });
  }

  /** A user namespace that did not exist before. */
  newUser(): number {
    this.#users += 1;
    return this.#users;
  }

  /** A copy of a namespace for a user namespace (`unshare`), and where its mounts went. */
  copyNamespace(
    { root, owner: before }: MountNamespace,
    owner: number,
  ): { readonly namespace: MountNamespace; readonly copies: Map<VfsMount, VfsMount> } {
    const copied = this.propagation.copyTree(root, root.root, { unbindable: true, slave: owner !== before });
    if (copied === undefined) throw new Error('a namespace has a root');
    if (owner !== before) copied.lockTree();
    const copies = new Map<VfsMount, VfsMount>();
    const pair = (old: VfsMount, copy: VfsMount) => {
      copies.set(old, copy);
      for (const child of old.children) {
        const twin = child.mountpoint === undefined ? undefined : copy.on(child.mountpoint);
        if (twin !== undefined) pair(child, twin);
      }
    };
    pair(root, copied);
    return { namespace: this.#namespace(copied, { isAnonymous: false, owner }), copies };
  }

  /** The directory that a process has as its root when it enters a namespace. */
  rootOf({ root }: MountNamespace): VfsPath {
    return followDown({ mount: root, dentry: root.root });
  }

  filesystem(facts: Omit<FilesystemFacts, 'device'> & { readonly device?: DeviceId }): Filesystem {
    if (facts.device !== undefined) return new Filesystem({ ...facts, device: facts.device });
    this.#sweep();
    let minor = this.#firstMinor;
    while (this.#usedMinors.has(minor)) minor += 1;
    this.#usedMinors.add(minor);
    return new Filesystem({ ...facts, device: `0:${minor}` as DeviceId });
  }

  /** Called before each call that makes mounts, so that numbers that are no longer used can be given again. */
  prepare(): void {
    this.#sweep();
  }

  mayHaveFreed(): void {
    this.#mayHaveFree = true;
  }

  /** `by`: the namespace of the process that attaches it. */
  attach(source: VfsMount, parent: VfsMount, mountpoint: Dentry, by: MountNamespace): void {
    for (const namespace of this.propagation.attach(source, { parent, mountpoint, by })) this.changed(namespace);
  }

  /** Removes a mount with all in and on it. */
  remove(mount: VfsMount, propagate: boolean): void {
    const changed = this.propagation.remove(mount, propagate);
    this.mayHaveFreed();
    for (const namespace of changed) this.changed(namespace);
  }

  walk(from: VfsPath, path: string, cached = false): VfsPath | string {
    return walk(from, path, { cached, ...this.#walkParts });
  }

  /** Looks up a name before its creation, which always asks a daemon. */
  lookUpNew(directory: Dentry, name: string): Dentry | string {
    return lookUp(directory, name, { asks: true, ...this.#walkParts });
  }

  get #walkParts() {
    return { now: this.now(), dropMounts: (dentry: Dentry) => this.dropMounts(dentry) };
  }

  /** Removes the mounts on and below a name that is no longer valid, in all namespaces and detached trees and without propagation. */
  dropMounts(dentry: Dentry): void {
    const gone = mountsBelow(dentry, this.#inUse());
    // The kernel lets go of the root of a removed mount only when the call returns.
    const roots = gone.flatMap((mount) => [...mount.tree()].map(({ root }) => root));
    for (const mount of gone) if (mount.namespace !== undefined) this.remove(mount, false);
    this.#forgetUnused(dentry, roots);
  }

  /** Names below a name that is no longer valid are dropped from the cache, unless something uses them. */
  #forgetUnused(dentry: Dentry, held: readonly Dentry[]): void {
    const used = new Set<Dentry>();
    const use = (each: Dentry) => {
      for (let at: Dentry | undefined = each; at !== undefined && !used.has(at); at = at.parent) used.add(at);
    };
    for (const each of held) use(each);
    for (const { root, mountpoint } of this.#inUse()) {
      use(root);
      if (mountpoint !== undefined) use(mountpoint);
    }
    for (const user of this.users) for (const { dentry: open } of user.paths()) use(open);
    const visit = (at: Dentry): void => {
      for (const [name, child] of [...at.children])
        if (used.has(child)) visit(child);
        else at.children.delete(name);
    };
    visit(dentry);
  }

  /** Calls back after the table of a namespace has changed. */
  watch(changed: (namespace: MountNamespace) => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
  }

  changed(namespace: MountNamespace): void {
    for (const watcher of this.#watchers) watcher(namespace);
  }

  /** The connections with a mount that is in use. */
  connections(): ReadonlyMap<DeviceId, FuseConnection> {
    const found = new Map<DeviceId, FuseConnection>();
    for (const { filesystem } of this.#inUse())
      if (filesystem.connection !== undefined) found.set(filesystem.device, filesystem.connection);
    return found;
  }

  #namespaces(): Set<MountNamespace> {
    const all = new Set(this.#kept);
    for (const user of this.users) {
      all.add(user.namespace);
      for (const namespace of user.namespaces()) all.add(namespace);
    }
    return all;
  }

  *#inUse(): Generator<VfsMount> {
    for (const { root } of this.#namespaces()) yield* root.tree();
    for (const user of this.users)
      for (const { mount } of user.paths()) {
        let top = mount;
        while (top.parent !== undefined) top = top.parent;
        yield* top.tree();
      }
  }

  /** Frees numbers, and takes apart the namespaces that nothing uses any more. */
  #sweep(): void {
    if (!this.#mayHaveFree) return;
    this.#mayHaveFree = false;
    const mounts = new Set(this.#inUse());
    const live = this.#namespaces();
    const groups = new Set<number>();
    for (const mount of mounts) {
      for (const group of [mount.group, mount.master]) {
        if (group === undefined) continue;
        groups.add(group.id);
        for (const member of [...group.members])
          if (!mounts.has(member) && !(member.namespace !== undefined && live.has(member.namespace)))
            this.propagation.change(member, 'private');
      }
    }
    this.#usedMounts.clear();
    this.#usedMinors.clear();
    this.#usedGroups.clear();
    for (const { id, filesystem, group, master } of mounts) {
      this.#usedMounts.add(id);
      const [major, minor] = filesystem.device.split(':').map(Number);
      if (major === 0 && minor !== undefined) this.#usedMinors.add(minor);
      for (const each of [group, master]) if (each !== undefined) this.#usedGroups.add(each.id);
    }
  }
}

import { type Dentry, type MountNamespace, PeerGroup, VfsMount } from './mounts.ts';

/** What a kernel of an old release does depends on more than the model knows. */
export class NotModelled extends Error {}

/** Kinds of propagation, `man 7 mount_namespaces`. */
export type Propagation = 'shared' | 'slave' | 'private' | 'unbindable';

/** How a copy relates to the mount that it is a copy of. */
export interface CopyKind {
  readonly slave?: boolean;
  readonly shared?: boolean;
  readonly private?: boolean;
  /** Copies unbindable mounts as well, as for a new namespace. */
  readonly unbindable?: boolean;
}

/** Gives the lowest free numbers, as the kernel does. */
export interface FreeNumbers {
  mount(): number;
  group(): number;
}

/** What the kernel does to peer groups, copies, attachments and removals of mounts (Linux 6.18, `fs/namespace.c` and `fs/pnode.c`). */
export class MountPropagation {
  readonly #numbers: FreeNumbers;
  readonly #isSince: (version: string) => boolean;
  /** Since Linux 6.17 a mount stays if its removal would move what covers a mount in it, and copies are not unbindable. */
  readonly #isStrict: boolean;
  #created = 0;

  /** `isSince`: whether the modelled kernel is of a version or later. */
  constructor(numbers: FreeNumbers, isSince: (version: string) => boolean) {
    this.#numbers = numbers;
    this.#isSince = isSince;
    this.#isStrict = isSince('6.17');
  }

  create(root: Dentry, options: Iterable<string>): VfsMount {
    this.#created += 1;
    return new VfsMount(this.#numbers.mount(), this.#created, root, options);
  }

  change(mount: VfsMount, type: Propagation): void {
    if (type === 'shared') {
      if (mount.group === undefined) this.#join(mount, new PeerGroup(this.#numbers.group()));
      mount.isUnbindable = false;
      return;
    }
    let master = mount.master;
    const { group } = mount;
    if (group !== undefined) {
      group.members.delete(mount);
      mount.group = undefined;
      if (group.members.size > 0) master = group;
      else for (const slave of [...group.slaves]) follow(slave, master);
    }
    follow(mount, type === 'slave' ? master : undefined);
    if (type !== 'slave') mount.isUnbindable = type === 'unbindable';
  }

  #join(mount: VfsMount, group: PeerGroup): void {
    mount.group = group;
    group.members.add(mount);
  }

  copy(old: VfsMount, root: Dentry, kind: CopyKind): VfsMount {
    const mount = this.create(root, old.options);
    mount.lockedOptions = old.lockedOptions;
    if (!this.#isStrict) mount.isUnbindable = old.isUnbindable;
    if (!kind.slave && !kind.private && old.group !== undefined) this.#join(mount, old.group);
    else if (kind.shared) this.#join(mount, new PeerGroup(this.#numbers.group()));
    if (kind.private) return mount;
    follow(mount, kind.slave && old.group !== undefined ? old.group : old.master);
    return mount;
  }

  /** Copies a mount from a directory on with the mounts inside; undefined if it is unbindable. */
  copyTree(source: VfsMount, root: Dentry, kind: CopyKind): VfsMount | undefined {
    if (!kind.unbindable && source.isUnbindable) return undefined;
    const copy = this.copy(source, root, kind);
    for (const child of source.children) {
      const { mountpoint } = child;
      if (mountpoint === undefined || !mountpoint.isWithin(root)) continue;
      const inner = this.copyTree(child, child.root, kind);
      if (inner === undefined) continue;
      inner.isLocked = child.isLocked;
      inner.putOn(copy, mountpoint);
    }
    return copy;
  }

  /**
   * Attaches a tree at a directory of a mount, and copies of it wherever the mount's events go. If something is mounted there already it
   * ends up on top of the new tree. `by`: the namespace of the process. Gives the namespaces whose tables change.
   */
  attach(
    source: VfsMount,
    { parent, mountpoint, by }: { readonly parent: VfsMount; readonly mountpoint: Dentry; readonly by: MountNamespace },
  ): ReadonlySet<MountNamespace> {
    const changed = new Set<MountNamespace>();
    const added: { readonly tree: VfsMount; readonly parent: VfsMount }[] = [];
    const isMoved = source.parent !== undefined;
    if (parent.group !== undefined) {
      const unshared = new Set([...source.tree()].filter(({ group }) => group === undefined));
      for (const each of unshared) this.change(each, 'shared');
      this.#spread(
        // What is moved may itself receive the event; it is shared only once all copies are made.
        { source, parent, mountpoint, isShared: (mount) => mount.group !== undefined && !unshared.has(mount) },
        (tree, onto) => added.push({ tree, parent: onto }),
      );
    }
    const placed = [...(isMoved ? [] : [source]), ...added.map(({ tree }) => tree).reverse()];
    if (!this.#isSince('6.8')) for (const each of placed.flatMap((tree) => tree.tree())) each.serial = ++this.#created;
    if (isMoved) source.disconnect();
    for (const { tree, parent: onto } of [...added.reverse(), { tree: source, parent }]) {
      const covering = onto.on(mountpoint);
      if (tree !== source) {
        const isForeign = onto.namespace?.owner !== by.owner;
        // Older kernels lock what covers it, too; which of their releases do depends on fixes.
        if (isForeign && covering !== undefined && !this.#isStrict) throw new NotModelled();
        if (isForeign) tree.lockTree();
        tree.isLocked = false;
      }
      tree.putOn(onto, mountpoint);
      for (const each of tree.tree()) each.namespace = onto.namespace;
      const top = tree.topmost;
      covering?.putOn(top, top.root);
      // What comes between a locked mount and its parent hides the parent in its place, in Linux 7.2.
      if (covering?.isLocked && this.#isSince('7.1')) {
        tree.isLocked = true;
        covering.isLocked = false;
      }
      if (onto.namespace !== undefined) changed.add(onto.namespace);
    }
    return changed;
  }

  #spread(
    {
      source,
      parent,
      mountpoint,
      isShared,
    }: {
      readonly source: VfsMount;
      readonly parent: VfsMount;
      readonly mountpoint: Dentry;
      readonly isShared: (mount: VfsMount) => boolean;
    },
    add: (tree: VfsMount, parent: VfsMount) => void,
  ): void {
    const receives = ({ namespace, root }: VfsMount) =>
      namespace !== undefined && !namespace.isAnonymous && mountpoint.isWithin(root);
    const copyTo = (mounts: readonly VfsMount[], near: VfsMount, isFirst: boolean): VfsMount => {
      let last = near;
      let slave = isFirst;
      for (const mount of mounts) {
        if (!receives(mount)) continue;
        const kind = { slave, shared: !slave || isShared(mount) };
        const tree = this.copyTree(last, last.root, kind);
        if (tree === undefined) continue;
        add(tree, mount);
        last = tree;
        slave = false;
      }
      return last;
    };
    const toSlaves = (group: PeerGroup, near: VfsMount): void => {
      const seen = new Set<PeerGroup>();
      for (const slave of [...group.slaves]) {
        if (slave.group === undefined) copyTo([slave], near, true);
        else if (!seen.has(slave.group)) {
          seen.add(slave.group);
          toSlaves(slave.group, copyTo([...slave.group.members], near, true));
        }
      }
    };
    const { group } = parent;
    if (group === undefined) return;
    const isDetached = ({ namespace }: VfsMount) => namespace?.isAnonymous !== false;
    // Older kernels skip those slaves of a group that are listed with a detached member.
    if (!this.#isStrict && group.slaves.size > 0 && [...group.members].some(isDetached)) throw new NotModelled();
    const peers = [...group.members].filter((peer) => peer !== parent);
    copyTo(peers, source, false);
    toSlaves(group, source);
  }

  /**
   * Removes a mount and all in and on it, as a lazy unmount does. `propagate`: also those that propagation created, unless
   * something else is mounted in them. Gives the namespaces whose tables change.
   */
  remove(mount: VfsMount, propagate: boolean): ReadonlySet<MountNamespace> {
    const going = new Set(mount.tree());
    if (propagate) unlockCopies(mount);
    const others = propagate ? propagated(going, this.#isStrict) : new Set<VfsMount>();
    for (const other of others) {
      const cover = other.on(other.root);
      if (cover === undefined || others.has(cover) || going.has(cover)) continue;
      let onto: VfsMount = other;
      let at = other.root;
      while (others.has(onto) && onto.parent !== undefined && onto.mountpoint !== undefined) {
        at = onto.mountpoint;
        onto = onto.parent;
      }
      cover.putOn(onto, at);
    }
    const all = [...going, ...others];
    const changed = new Set(all.flatMap(({ namespace }) => namespace ?? []));
    // Locked mounts stay connected to their parents, so that what they hide stays hidden from descriptors as well.
    for (const each of all) each.namespace = undefined;
    for (const each of all) {
      if (!(each.isLocked && each.parent !== undefined && each.parent.namespace === undefined)) each.disconnect();
      this.change(each, 'private');
    }
    return changed;
  }
}

/** All mounts that receive the events of a mount, without itself. */
function receivers(mount: VfsMount): ReadonlySet<VfsMount> {
  const found = new Set<VfsMount>();
  const visit = (group: PeerGroup | undefined): void => {
    if (group === undefined) return;
    for (const member of group.members) found.add(member);
    for (const slave of group.slaves) {
      if (found.has(slave)) continue;
      found.add(slave);
      visit(slave.group);
    }
  };
  visit(mount.group);
  found.delete(mount);
  return found;
}

/** What hides the same as a mount that may be unmounted is locked no more (`propagate_mount_unlock`). */
function unlockCopies({ parent, mountpoint }: VfsMount): void {
  if (parent === undefined || mountpoint === undefined) return;
  for (const receiver of receivers(parent)) {
    const child = receiver.on(mountpoint);
    if (child !== undefined) child.isLocked = false;
  }
}

/**
 * The other mounts to be unmounted with a set: the largest set that moves no mount that stays, unless it covers the root of one that goes
 * (`Documentation/filesystems/propagate_umount.txt`).
 */
function propagated(going: ReadonlySet<VfsMount>, isStrict: boolean): Set<VfsMount> {
  const candidates = new Set<VfsMount>();
  for (const { parent, mountpoint } of going) {
    if (parent === undefined || mountpoint === undefined) continue;
    for (const receiver of receivers(parent)) {
      const child = receiver.on(mountpoint);
      if (child !== undefined && !going.has(child)) candidates.add(child);
    }
  }
  const goes = (mount: VfsMount | undefined) => mount !== undefined && (candidates.has(mount) || going.has(mount));
  const leaves = (mount: VfsMount): boolean =>
    isStrict && [...mount.children].some((child) => !goes(child) || leaves(child));
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const mount of [...candidates]) {
      const shifts = [...mount.children].some(
        (child) => child.mountpoint !== mount.root && (!goes(child) || leaves(child)),
      );
      if (!shifts && !(mount.isLocked && !goes(mount.parent))) continue;
      if (!isStrict && mount.isLocked) throw new NotModelled();
      candidates.delete(mount);
      isChanged = true;
    }
  }
  return candidates;
}

/** Whether a mount of `from` at a directory would also appear on top of `to`, which is mounted there. */
export function wouldOvermount(from: VfsMount, to: VfsMount, mountpoint: Dentry): boolean {
  if (from.group === undefined || to.root !== mountpoint) return false;
  if (to.group === from.group) return true;
  for (let group = to.master; group !== undefined; group = [...group.members][0]?.master)
    if (group === from.group) return true;
  return false;
}

function follow(mount: VfsMount, master: PeerGroup | undefined): void {
  mount.master?.slaves.delete(mount);
  mount.master = master;
  master?.slaves.add(mount);
}

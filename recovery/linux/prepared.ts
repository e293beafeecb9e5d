import { siteKey } from '../engine/mount-sites.ts';
import type { Replacement, Result } from '../engine/ports.ts';
import { attributeChange, wantedOptions } from './attributes.ts';
import { Descriptors, type KernelContext, type OpenSource, openSource } from './context.ts';
import { done, failed, inStep } from './result.ts';

/**
 * What replacements in containers need, made in advance: detached clones of the source with all attributes set, and pidfds to enter the
 * containers by. Nothing else is held: a descriptor of a namespace, of a mount table or of a mount inside the dead one would keep a dead
 * pod's other volumes mounted.
 */
export interface PreparedMounts extends Disposable {
  /**
   * Holds what these replacements need and closes everything else. At most some are made in one call.
   *
   * @returns whether nothing is left to be made
   */
  hold(wanted: readonly Replacement[]): boolean;
  /** Gives away the clone for a replacement; undefined if there is none. */
  take(replacement: Replacement): number | undefined;
  /** A pidfd of a process in a container. */
  pidfd(pid: number): number | undefined;
}

/** Clones made in one turn of the event loop. */
const maxPerTurn = 64;

/** `limit`: the most descriptors that may be held. */
export function createPreparedMounts(context: KernelContext, limit: number): PreparedMounts {
  const clones = new Map<string, number>();
  const pidfds = new Map<number, number>();
  /** What could not be made is tried again only after something else has changed. */
  const failing = new Set<string>();
  let last: readonly Replacement[] = [];

  interface Kept {
    readonly isKept: (key: string) => boolean;
    readonly isEntered: (pid: number) => boolean;
  }

  function close({ isKept, isEntered }: Kept, closeClone: (fd: number) => void): void {
    for (const [key, fd] of clones) {
      if (isKept(key)) continue;
      clones.delete(key);
      closeClone(fd);
    }
    for (const [pid, fd] of pidfds) {
      if (isEntered(pid)) continue;
      pidfds.delete(pid);
      context.sys.close(fd);
    }
  }

  function make(missing: readonly Replacement[]): void {
    using fds = new Descriptors(context.sys);
    context.walker.prepare(missing.some(({ source }) => source.root !== '/'));
    context.namespaces.inNode(() => {
      const table = context.nodeTable();
      if (!table.ok) return table;
      const sources = new Map<string, Result<OpenSource>>();
      for (const replacement of missing) {
        const { path, device, root } = replacement.source;
        const key = `${device} ${root} ${path}`;
        const source = sources.get(key) ?? openSource(context, fds, replacement.source, table.value);
        sources.set(key, source);
        const made = source.ok ? clone(context, fds, replacement, source.value) : source;
        if (made.ok) clones.set(keyOf(replacement), made.value);
        else if (made.failure.errno !== 'EINPROGRESS') failing.add(keyOf(replacement));
      }
      return done;
    });
    for (const { site } of missing) {
      if (site.kind !== 'container' || pidfds.has(site.pid)) continue;
      const pidfd = context.sys.pidfdOpen(site.pid);
      if (pidfd.ok) pidfds.set(site.pid, pidfd.value);
    }
  }

  return {
    hold(wanted) {
      if (wanted !== last) failing.clear();
      last = wanted;
      const keys = new Set(wanted.map(keyOf));
      const pids = new Set(wanted.map(({ site }) => (site.kind === 'container' ? site.pid : 0)));
      close({ isKept: (key) => keys.has(key), isEntered: (pid) => pids.has(pid) }, (fd) => context.sys.closeInPool(fd));
      const missing = wanted.filter((each) => !clones.has(keyOf(each)) && !failing.has(keyOf(each)));
      // A clone and a pidfd each.
      const room = Math.floor((limit - clones.size - pidfds.size) / 2);
      const now = missing.slice(0, Math.max(Math.min(room, maxPerTurn), 0));
      if (now.length > 0) make(now);
      return now.length === missing.length || now.length === 0;
    },
    take(replacement) {
      const key = keyOf(replacement);
      const clone = clones.get(key);
      clones.delete(key);
      return clone;
    },
    pidfd: (pid) => pidfds.get(pid),
    // The threads of the pool may not get to it before the process ends.
    [Symbol.dispose]: () => close({ isKept: () => false, isEntered: () => false }, (fd) => context.sys.close(fd)),
  };
}

/** Equal for replacements that need the same clone. */
function keyOf({ site, source, remove, readOnly }: Replacement): string {
  const options = wantedOptions(remove.options, readOnly).join();
  return `${siteKey(site)} ${source.device} ${source.root} ${source.path} ${options}`;
}

function clone(
  { sys }: KernelContext,
  fds: Descriptors,
  { site, remove, readOnly, source: { path } }: Replacement,
  source: OpenSource,
): Result<number> {
  const isIdmapped = remove.options.includes('idmapped');
  const users = isIdmapped && site.kind === 'container' ? fds.own(sys.open(`/proc/${site.pid}/ns/user`)) : undefined;
  if (users?.ok === false) return users;
  const tree = sys.cloneTree(source.fd, false);
  if (!tree.ok) return inStep('clone-source', path, tree);
  const wanted = wantedOptions(remove.options, readOnly);
  const changed = sys.setAttributes(tree.value, attributeChange(wanted, users?.value));
  if (changed.ok) return tree;
  sys.close(tree.value);
  return failed({ ...changed.failure, step: 'set-attributes' });
}

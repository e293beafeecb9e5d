import { namespaceOf, processIds } from './process.ts';
import { O_DIRECTORY, type Syscalls } from './syscalls.ts';

/** A process and the mount namespace that it is in, `mnt:[inode]`. */
export interface Located {
  readonly pid: number;
  readonly mountNamespace: string;
}

export interface ProcessNamespaces {
  /** All processes that may be looked at, lowest pid first. `onlyNew`: of those that were seen before, what was seen then. */
  locate(onlyNew: boolean): readonly Located[];
}

export interface ProcessNamespacesOptions {
  /** Where the processes show: `/proc`. */
  readonly proc: string;
  readonly sys: Pick<Syscalls, 'open' | 'readNumbered' | 'close'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

interface Seen {
  readonly inode: number;
  readonly since: number;
  readonly mountNamespace: string | undefined;
}

/** A container runtime moves a process of its own into its namespace within this, in milliseconds. */
const youth = 3_000;

/**
 * The mount namespaces of all processes. A look at each costs some 30 microseconds, so of a process that has been there for a
 * while it is remembered. The inode number of /proc/PID tells another process of the same pid: it lives with the process.
 */
export function createProcessNamespaces({ proc, sys, now }: ProcessNamespacesOptions): ProcessNamespaces {
  let seen: ReadonlyMap<number, Seen> = new Map();

  return {
    locate(onlyNew) {
      const at = now();
      const next = new Map<number, Seen>();
      for (const { pid, inode } of list()) {
        const before = seen.get(pid);
        const same = inode !== undefined && before?.inode === inode ? before : undefined;
        const since = same?.since ?? at;
        const isKnown = onlyNew && same !== undefined && at - since >= youth;
        const mountNamespace = isKnown ? same.mountNamespace : namespaceOf(proc, pid, 'mnt');
        next.set(pid, { inode: inode ?? 0, since, mountNamespace });
      }
      seen = next;
      return [...next]
        .flatMap(([pid, { mountNamespace }]) => (mountNamespace === undefined ? [] : [{ pid, mountNamespace }]))
        .sort((a, b) => a.pid - b.pid);
    },
  };

  function list(): readonly { readonly pid: number; readonly inode: number | undefined }[] {
    const directory = sys.open(proc, O_DIRECTORY);
    if (directory.ok) {
      const entries = sys.readNumbered(directory.value);
      sys.close(directory.value);
      if (entries.ok) return entries.value.map(({ number, inode }) => ({ pid: number, inode }));
    }
    return processIds(proc).map((pid) => ({ pid, inode: undefined }));
  }
}

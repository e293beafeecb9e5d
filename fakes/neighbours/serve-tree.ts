import { loadSyscalls } from '../../recovery/linux/load-syscalls.ts';
import { MS_NODEV, MS_NOSUID, MS_RDONLY } from '../../recovery/linux/syscalls.ts';
import { RawFuse } from '../fuse/raw-fuse.ts';
import { serve } from '../fuse/serve.ts';
import { type ReadOnlyTree, succeed, type TreeNode } from '../fuse/tree.ts';
import { WrittenTree } from '../fuse/written-tree.ts';

/** Mounts a read-only FUSE filesystem that is not of ours; resolves once the kernel has greeted it. */
export function serveTree({
  target,
  lower,
  source,
}: {
  readonly target: string;
  readonly lower: ReadOnlyTree;
  readonly source: string;
}): Promise<void> {
  const sys = loadSyscalls();
  const tree = new WrittenTree({ lower, now: Date.now, onChange: () => {} });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const operations = serve({ tree, behaviour: () => ({}), emit: () => {}, onReady: resolve, crash: () => {} });
  const fuse = new RawFuse(target, operations, {
    emit: () => {},
    timeout: false,
    allowOther: true,
    fsname: source,
    subtype: 'neighbour',
    // The kernel asks for each name each time, so that no look-up is answered from its cache.
    entryTimeout: '0',
    mountFuse({ source, target, fstype, data }) {
      const mounted = sys.mount({ source, target, fstype, flags: MS_NOSUID | MS_NODEV | MS_RDONLY, data });
      return mounted.ok ? undefined : 1;
    },
  });
  fuse.mount((error) => error && reject(error));
  return promise;
}

/** An image that has these directories and nothing else. */
export function imageWith(names: readonly string[]): ReadOnlyTree {
  const directory = { kind: 'directory' } as const;
  const entries = new Map<string, TreeNode>(names.map((name) => [name, directory]));
  const isDirectory = (path: string) => path === '/' || entries.has(path.slice(1));
  const missing = { ok: false, errno: 'ENOENT' } as const;
  return {
    entry: async (path) => (isDirectory(path) ? succeed(directory) : missing),
    directory: async (path) => (isDirectory(path) ? succeed(path === '/' ? entries : new Map()) : missing),
    read: async () => missing,
  };
}

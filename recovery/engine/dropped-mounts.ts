import type { Mount, MountSite, NodeView, OtherMount } from './model.ts';
import { isFuse, plainPath, standingAt } from './mount-tree.ts';

export interface Below {
  readonly site: MountSite;
  /** The mount that is seen at the site. */
  readonly top: Mount;
  /** The mounts below it that the table shows. */
  readonly below: readonly Mount[];
  /** What the pod's spec has mounted below the site. */
  readonly others: readonly OtherMount[];
}

/**
 * Mounts inside a dead one are dropped by the kernel as soon as anybody looks their names up, and the names have expired (facts:
 * kernel L, M1): then only the pod's spec tells that they were there. `found`: such mounts as the node has them, to be cloned from
 * there. `lost`: paths of those of which that is not known; a replacement would show the dataset's own directory instead.
 */
export function droppedBelow(
  { kubeletRoot, mounts }: Pick<NodeView, 'kubeletRoot' | 'mounts'>,
  { site, top, below, others }: Below,
): { readonly found: readonly Mount[]; readonly lost: readonly string[] } {
  const found: Mount[] = [];
  const lost: string[] = [];
  const missing = others
    .map((other) => ({ ...other, path: plainPath(other.mountPath) }))
    .filter(({ path }) => !below.some(({ mountPoint }) => mountPoint === path))
    // Parents first, as in a mount table.
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, directory, readOnly } of missing) {
    const own = directory === undefined ? undefined : `${kubeletRoot}/pods/${site.podUid}/${directory}`;
    const content = own === undefined ? undefined : contentAt(mounts, own);
    if (content === undefined) {
      lost.push(path);
      continue;
    }
    const parent = [...below, ...found].findLast(({ mountPoint }) => path.startsWith(`${mountPoint}/`)) ?? top;
    const options = readOnly ? ['ro', ...content.options.filter((option) => option !== 'rw')] : content.options;
    const { shared: _, master: __, ...plain } = content;
    found.push({ ...plain, id: -1 - found.length, parentId: parent.id, mountPoint: path, options });
  }
  return { found, lost };
}

/** What a path of the node shows, as a mount whose root is that directory; undefined where a daemon would have to be asked. */
function contentAt(mounts: readonly Mount[], path: string): Mount | undefined {
  const { stack, above } = standingAt(mounts, path);
  if (above.some(isFuse)) return undefined;
  const top = stack.at(-1);
  if (top !== undefined) return isFuse(top) ? undefined : top;
  const around = above.at(-1);
  if (around === undefined) return undefined;
  const rest = path.slice(around.mountPoint === '/' ? 0 : around.mountPoint.length);
  return { ...around, root: plainPath(`${around.root}${rest}`) };
}

import { statSync } from 'node:fs';
import type { Mount } from '../engine/model.ts';
import { podsDirectory } from './containers.ts';
import type { Namespaces } from './namespaces.ts';
import { ok } from './result.ts';

/** The files that a kubelet binds into each container, below its directory of pods. */
const ownFile = /^(.*\/pods)\/[^/]+\/(?:etc-hosts|containers\/[^/]+\/[^/]+)$/;

/**
 * What a directory lacks if the kubelet of this node does not use it; undefined if nothing speaks against it. The kubelet shows where its directory is by
 * the files that it has bound into the agent's own container, if the agent runs in one.
 *
 * @param path the directory without symbolic links, as `node` spells it
 * @param own the agent's mount table
 */
export function kubeletDirectoryProblem({
  namespaces,
  path,
  node,
  own,
}: {
  readonly namespaces: Pick<Namespaces, 'inNode'>;
  readonly path: string;
  readonly node: readonly Mount[];
  readonly own: readonly Mount[];
}): string | undefined {
  const advice = 'deploy with --kubelet-root';
  const isThere = namespaces.inNode(() => ok(statSync(`${path}/pods`, { throwIfNoEntry: false })?.isDirectory()));
  if (isThere.ok && isThere.value !== true) return `a kubelet: none has its pods below ${path}: ${advice}`;
  const expected = podsDirectory(node, path);
  const shown = own.flatMap(({ device, root, mountPoint }) => {
    const pods = ['/etc/hosts', '/dev/termination-log'].includes(mountPoint) ? ownFile.exec(root)?.[1] : undefined;
    return pods === undefined ? [] : [{ device, root: pods }];
  });
  const [elsewhere] = shown.filter(({ device, root }) => device !== expected?.device || root !== expected.root);
  if (elsewhere === undefined || expected === undefined) return undefined;
  const found = pathOnNode(node, elsewhere);
  const place = found === undefined ? `${elsewhere.root} of device ${elsewhere.device}` : found;
  return `mounts of the kubelet below ${path}: its pods are in ${place}: ${advice}${found ? ` ${found.replace(/\/pods$/, '')}` : ''}`;
}

/** Where a directory of a filesystem is mounted on the node. */
function pathOnNode(node: readonly Mount[], { device, root }: Pick<Mount, 'device' | 'root'>): string | undefined {
  const isAbove = (mount: Mount) => mount.device === device && `${root}/`.startsWith(mount.root.replace(/\/?$/, '/'));
  const mount = node.findLast(isAbove);
  if (mount === undefined) return undefined;
  return `${mount.mountPoint}/${root.slice(mount.root.length)}`.replaceAll(/\/+/g, '/');
}

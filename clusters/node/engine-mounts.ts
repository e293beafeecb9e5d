import { parseMountLine } from '../../recovery/linux/mountinfo.ts';

/** What docker, containerd, CRI-O and podman mount for a container: its root, its network, its shared memory. */
const places = /^\/(var\/lib|run|var\/run)\/(docker|containerd|containers|crio|netns)\//;
const types: ReadonlySet<string> = new Set(['overlay', 'nsfs', 'tmpfs']);

/**
 * Whether a mount of a node is a container engine's, which makes and removes it for whatever container comes and goes on the
 * machine: no agent's doing, and no leak of one.
 */
export function isOfContainerEngine({
  mountPoint,
  fstype,
}: {
  readonly mountPoint: string;
  readonly fstype: string;
}): boolean {
  return types.has(fstype) && places.test(mountPoint);
}

/** A mount table without them. */
export function withoutEngineMounts(mountinfo: readonly string[]): readonly string[] {
  return mountinfo.filter((line) => {
    const mount = parseMountLine(line);
    return mount === undefined || !isOfContainerEngine(mount);
  });
}

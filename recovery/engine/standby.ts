import { origin, type VolumeEvidence } from './identity.ts';
import type { DeviceId, KernelTier, Mount } from './model.ts';
import { isFuse, type MountTree } from './mount-sites.ts';

/**
 * Standbys: further daemons of a dataset, each with a source mount of its own in a directory beside the ordinary one,
 * `<host directory>/standby-<N>/<name of the ordinary source mount>`. Only root on the node can mount there, and only the node's mount
 * table is believed. Which source is active shows at the target paths.
 */

/** The standbys of a volume by path, in the order of their numbers. */
export interface Standbys {
  readonly paths: readonly string[];
  readonly refused: readonly RefusedStandby[];
}

/** A standby that is not used. */
export interface RefusedStandby {
  readonly path: string;
  readonly device: DeviceId;
  /** One sentence: why, and what the user can do about it. */
  readonly detail: string;
}

export const noStandbys: Standbys = { paths: [], refused: [] };

export interface StandbyFacts {
  readonly tree: MountTree;
  readonly tier: KernelTier;
  readonly isReadOnly: boolean;
  /** What shows that a mount is the volume's, apart from its standbys. */
  readonly evidence: VolumeEvidence;
  /** Devices of the source mounts of other volumes. */
  readonly foreign: ReadonlySet<DeviceId>;
}

/** Decides which of a volume's `paths` are trusted. Standbys whose mount is gone are left out. */
export function admitStandbys(paths: readonly string[], facts: StandbyFacts): Standbys {
  const checked = paths.flatMap((path) => {
    const mount = facts.tree.top(path);
    return mount === undefined ? [] : [{ path, device: mount.device, detail: refusalOf(mount, facts) }];
  });
  return {
    paths: checked.flatMap(({ path, detail }) => (detail === undefined ? [path] : [])),
    refused: checked.flatMap(({ detail, ...each }) => (detail === undefined ? [] : [{ ...each, detail }])),
  };
}

function refusalOf(mount: Mount, { tier, isReadOnly, evidence, foreign }: StandbyFacts): string | undefined {
  const { mountPoint: path, device, fstype, mountSource } = mount;
  if (!isFuse(mount)) return `${path} is a mount of type ${fstype} and not of a FUSE daemon: unmount it`;
  if (tier === '5.10') return `the standby at ${path} needs mount_setattr to be mounted: boot Linux 5.12`;
  if (!isReadOnly)
    return `the standby at ${path} would not have the last writes of a volume that is not read-only: give its Dataset the access mode ReadOnlyMany only`;
  if (foreign.has(device)) return `${path} is the source mount of another dataset: mount the standby's own there`;
  if (evidence.origins.size === 0 || evidence.origins.has(origin(mount))) return undefined;
  const expected = [...evidence.origins].join(' or ');
  return `${path} is a mount of "${fstype} ${mountSource}", the volume's is "${expected}": run the same version with the same mount source`;
}

import {
  type DeviceId,
  driverName,
  type Mount,
  type Pod,
  type RemovableMount,
  type Volume,
  type VolumeRecord,
} from './model.ts';
import { isFuse, type ObservedSite } from './mount-sites.ts';

/**
 * Whose things are: rules 1 and 5 of the engine. Names that a tenant chooses prove nothing, because an inline volume of another driver
 * lies at a target path of its own name, and a container may mount a FUSE filesystem of its own over the volume.
 */

/** `other`: it is not the volume's, or nothing says that it is. `conflict`: two sources disagree, in one sentence. */
export type TargetOwner =
  | { readonly kind: 'volume' }
  | { readonly kind: 'other' }
  | { readonly kind: 'conflict'; readonly detail: string };

/**
 * Whose a target path is that bears the volume's name. `pod`: the pod of that path, undefined if the API server does not know it.
 * `record`: undefined if the kubelet's file is missing, empty or unreadable (kubernetes#108217, #85280), which proves nothing.
 */
export function targetOwner(
  volume: Volume,
  { pod, record }: { readonly pod: Pod | undefined; readonly record: VolumeRecord | undefined },
): TargetOwner {
  const isClaimed = claims(pod, volume);
  if (record === undefined) return { kind: isClaimed ? 'volume' : 'other' };
  if (isRecordOf(record, volume)) {
    if (isClaimed !== false) return { kind: 'volume' };
    const detail = `the kubelet has recorded volume ${volume.name}, but no claim of pod ${nameOf(pod)} leads to it`;
    return { kind: 'conflict', detail };
  }
  if (!isClaimed) return { kind: 'other' };
  const detail = `a claim of pod ${nameOf(pod)} leads to volume ${volume.name}, but the kubelet has recorded volume ${record.volumeHandle} of driver ${record.driverName}`;
  return { kind: 'conflict', detail };
}

/** Whether a claim of a pod leads to the volume; undefined if that is not known. */
function claims(pod: Pod | undefined, { name }: Volume): boolean | undefined {
  if (pod?.volumes.includes(name)) return true;
  return pod === undefined || pod.hasUnreadClaims ? undefined : false;
}

const nameOf = (pod: Pod | undefined) => `${pod?.namespace}/${pod?.name}`;

function isRecordOf(record: VolumeRecord, { name, handle }: Volume): boolean {
  return record.driverName === driverName && record.volumeHandle === handle && record.specVolID === name;
}

/** Devices, with the file system type and mount source that the mounts of each have. */
export type KnownDevices = ReadonlyMap<DeviceId, string>;

/** What shows that a mount is a volume's. */
export interface VolumeEvidence {
  /**
   * Devices that its sources had, now or in an earlier snapshot, and those that root has mounted for it on the node; with the origin of
   * each, because the kernel reuses the numbers of devices.
   */
  readonly devices: KnownDevices;
  /** Filesystem types and mount sources of these mounts, which a tenant chooses for its own mounts. They hint, but prove nothing. */
  readonly origins: ReadonlySet<string>;
}

/**
 * `certain`: mounts of the volume beyond doubt. `onNode`: others at its target paths. Only root mounts there, so if their daemon names them
 * like the certain ones, an earlier agent has put them there. `earlier`: devices that its sources had in earlier snapshots.
 */
export function volumeEvidence(
  { certain, onNode = [] }: { readonly certain: readonly Mount[]; readonly onNode?: readonly Mount[] },
  earlier: KnownDevices = new Map(),
): VolumeEvidence {
  const own = certain.filter(isFuse);
  const origins = new Set(own.map(origin));
  const mounts = [...own, ...onNode.filter((mount) => isFuse(mount) && origins.has(origin(mount)))];
  return { devices: new Map([...earlier, ...mounts.map((mount) => [mount.device, origin(mount)] as const)]), origins };
}

/** File system type and mount source, which daemons of one dataset share. */
export const origin = ({ fstype, mountSource }: Mount) => `${fstype} ${mountSource}`;

/** Whether a mount has a device of the volume. */
export const hasDeviceOf = ({ devices }: Pick<VolumeEvidence, 'devices'>, mount: Mount): boolean =>
  devices.get(mount.device) === origin(mount);

/** Whether a mount is the volume's or at least resembles those that are. */
export const mayBeShownBy = (evidence: VolumeEvidence, mount: Mount): boolean =>
  isFuse(mount) && (hasDeviceOf(evidence, mount) || evidence.origins.has(origin(mount)));

/**
 * The visible mount of a site if it is the volume's. The bottom one is, because the kubelet or the container runtime has put it
 * there for the volume. One above it is only if it has a device of the volume, or if an agent has begun to replace it and died: any other
 * is the application's own.
 */
export function removableMount(
  { stack, conflict, isHalfReplaced }: Pick<ObservedSite, 'stack' | 'conflict' | 'isHalfReplaced'>,
  evidence: Pick<VolumeEvidence, 'devices'>,
): RemovableMount | undefined {
  const [bottom] = stack;
  const top = stack.at(-1);
  if (top === undefined || bottom === undefined || !isFuse(top) || conflict !== undefined) return undefined;
  const isOwn = top.device === bottom.device || isHalfReplaced === true || hasDeviceOf(evidence, top);
  return isOwn ? (top as RemovableMount) : undefined;
}

/** The visible mount at a target path that the kubelet requests to be published, and so declares to be the volume's. */
export const requestedMount = (mount: Mount): RemovableMount => mount as RemovableMount;

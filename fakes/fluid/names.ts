import type { V1ObjectMeta } from '@kubernetes/client-node';
import { keeperDirectory } from '../../recovery/keeper/protocol.ts';
import type { ObjectKey } from '../controller.ts';

export const group = 'data.fluid.io';
export const version = 'v1alpha1';

/** A Dataset or a JindoRuntime as the API server returns it, with an unvalidated spec. */
export interface FluidObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: V1ObjectMeta;
  readonly spec?: unknown;
  readonly status?: Readonly<Record<string, unknown>>;
}

export type FluidKind = 'Dataset' | 'JindoRuntime';

export const pluralNames: Readonly<Record<FluidKind, string>> = { Dataset: 'datasets', JindoRuntime: 'jindoruntimes' };

/** Identifies a dataset, and the runtime, claim and DaemonSet that belong to it. */
export type DatasetKey = ObjectKey;

/** The label of everything that these controllers create. Objects without it are never changed or deleted. */
export const ownLabel = { key: 'rekindle.dev/fluid', value: 'fake' } as const;

export const isOwn = ({ metadata }: { readonly metadata?: V1ObjectMeta }): boolean =>
  metadata?.labels?.[ownLabel.key] === ownLabel.value;

export const driver = 'fuse.csi.fluid.io';
export const fuseRole = 'jindofs-fuse';
/** Role of a standby's pods, by its number from 0. It differs from `fuseRole`, so that the document's selector finds active pods only. */
export const standbyRole = (standby: number): string => `${fuseRole}-standby-${standby}`;
export const workerRole = 'jindofs-worker';
/** JSON that makes the fake FUSE file system misbehave; it applies to FUSE pods that are created afterwards. */
export const behaviourAnnotation = 'rekindle.dev/fuse-behaviour';
/** Number of standbys of a dataset (`1` to `3`): further FUSE daemons with source mounts of their own. */
export const standbyAnnotation = 'rekindle.dev/standby';
/** `true`: the dataset's daemons leave their connection to the keeper of the node (`recovery/keeper`). */
export const takeoverAnnotation = 'rekindle.dev/takeover';
/** Label of everything that belongs to a standby; its value is the dataset's name. */
export const standbyLabel = 'rekindle.dev/standby-of';

/** The name that Fluid gives the PersistentVolume. Two datasets can share one: `a-b`/`c` and `a`/`b-c`. */
export const volumeName = ({ namespace, name }: DatasetKey): string => `${namespace}-${name}`;

/** The directory of the host that a FUSE pod mounts as /jfs: the parent of the source mount, so that a daemon can start over a dead one. */
export const hostDirectory = ({ namespace, name }: DatasetKey, mountRoot = '/runtime-mnt'): string =>
  `${mountRoot}/jindo/${namespace}/${name}`;

/** The directory that a standby's pods mount as /jfs, by its number from 0. It lies in the dataset's own, so no other dataset has it. */
export const standbyDirectory = (key: DatasetKey, standby: number, mountRoot?: string): string =>
  `${hostDirectory(key, mountRoot)}/standby-${standby}`;

/** The keeper's directory of a dataset on the node. A namespace has no dot in its name, so no two datasets have the same one. */
export const keeperVolume = ({ namespace, name }: DatasetKey): string => `${keeperDirectory}/${namespace}.${name}`;

/** The path of the source mount on the host. */
export const fluidPath = (key: DatasetKey, mountRoot?: string): string =>
  `${hostDirectory(key, mountRoot)}/jindofs-fuse`;

/** The DaemonSet whose template a dataset's FUSE daemons use (Fluid `charts/jindocache`). */
export const daemonSetName = ({ name }: DatasetKey): string => `${name}-jindofs-fuse`;

/** The DaemonSet of a standby, by its number from 0. */
export const standbyDaemonSetName = (key: DatasetKey, standby: number): string =>
  `${daemonSetName(key)}-standby-${standby}`;

/** Labels of the volume and the claim (Fluid `pkg/utils/label.go`); the UID replaces names that are too long for a label. */
export function volumeLabels(key: DatasetKey, uid: string): Record<string, string> {
  const plain = `s-${volumeName(key)}`;
  return {
    [`fluid.io/${plain.length < 63 ? plain : `s-${uid}`}`]: 'true',
    ...datasetLabels(key, uid),
  };
}

/** The label of nodes that a dataset's daemons may run on (Fluid `pkg/utils/label.go`). */
export function placementLabel(key: DatasetKey, uid: string): string {
  const plain = `fluid.io/f-${volumeName(key)}`;
  return plain.length < 63 ? plain : `fluid.io/f-${uid}`;
}

/** Labels of a runtime's pods, by which the document finds them: `role=jindofs-fuse,release=<name>`. */
export function podLabels(key: DatasetKey, uid: string, role: string): Record<string, string> {
  return { app: 'jindo', role, release: key.name, heritage: 'Fluid', ...datasetLabels(key, uid) };
}

function datasetLabels(key: DatasetKey, uid: string): Record<string, string> {
  return {
    'fluid.io/dataset-id': volumeName(key).length < 63 ? volumeName(key) : uid,
    'fluid.io/managed-by': 'fluid',
    [ownLabel.key]: ownLabel.value,
  };
}

/** What identifies a dataset, and with it its runtime, claim and volume. */
export interface DatasetKey {
  readonly namespace: string;
  readonly name: string;
}

/** On everything that these controllers make; what does not bear it is never changed or deleted. */
export const madeHere = { label: 'rekindle.dev/fluid', value: 'fake' } as const;

export const driver = 'fuse.csi.fluid.io';
export const fuseRole = 'jindofs-fuse';
export const workerRole = 'jindofs-worker';
/** JSON that tells the fake FUSE filesystem how to behave; given to its containers from their next pod on. */
export const behaviourAnnotation = 'rekindle.dev/fuse-behaviour';

/** Fluid's name of the PersistentVolume. Two datasets can have the same one: `a-b`/`c` and `a`/`b-c`. */
export const volumeName = ({ namespace, name }: DatasetKey): string => `${namespace}-${name}`;

/** The directory on the host that a FUSE pod mounts as /jfs: the parent, so that it can start over a dead mount. */
export const hostDirectory = ({ namespace, name }: DatasetKey): string => `/runtime-mnt/jindo/${namespace}/${name}`;

/** Where the FUSE mount stands on the host. */
export const fluidPath = (key: DatasetKey): string => `${hostDirectory(key)}/jindofs-fuse`;

/** The DaemonSet of a dataset's FUSE daemons, whose template they have (Fluid `charts/jindocache`). */
export const daemonSetName = ({ name }: DatasetKey): string => `${name}-jindofs-fuse`;

/** Labels of the volume and the claim (Fluid `pkg/utils/label.go`); a key that would be too long has the UID in it. */
export function volumeLabels(key: DatasetKey, uid: string): Record<string, string> {
  const plain = `s-${volumeName(key)}`;
  return {
    [`fluid.io/${plain.length < 63 ? plain : `s-${uid}`}`]: 'true',
    'fluid.io/dataset-id': `${volumeName(key).length < 63 ? volumeName(key) : uid}`,
    'fluid.io/managed-by': 'fluid',
    [madeHere.label]: madeHere.value,
  };
}

/** Labels of the pods of a runtime, by which the document finds them: `role=jindofs-fuse,release=<name>`. */
export function podLabels(key: DatasetKey, uid: string, role: string): Record<string, string> {
  return {
    app: 'jindo',
    role,
    release: key.name,
    heritage: 'Fluid',
    'fluid.io/dataset-id': `${volumeName(key).length < 63 ? volumeName(key) : uid}`,
    'fluid.io/managed-by': 'fluid',
    [madeHere.label]: madeHere.value,
  };
}

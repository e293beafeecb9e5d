import { parseVolumeSource } from '../csi/volume-source.ts';
import {
  type AccessMode,
  driverName,
  type OtherMount,
  type Pod,
  type Volume,
  type VolumeMount,
} from '../engine/model.ts';
import { listAt, objectAt, textAt, texts, type UncheckedObject } from './json.ts';

/** A bound claim. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  /** Name of the PersistentVolume. */
  readonly volume: string;
}

/** A pod whose claims have not been resolved to volumes yet. */
export interface PodSpec extends Omit<Pod, 'volumes' | 'containers'> {
  /** Keyed by the name of the pod's volume. */
  readonly claims: ReadonlyMap<string, { readonly claim: string; readonly readOnly: boolean }>;
  readonly containers: readonly {
    readonly name: string;
    readonly terminationMessagePath?: string;
    /** Here `volume` is the name of the pod's volume. */
    readonly mounts: readonly VolumeMount[];
    readonly others: readonly OtherMount[];
  }[];
}

const accessModes: ReadonlySet<unknown> = new Set<AccessMode>([
  'ReadWriteOnce',
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOncePod',
]);

/** Maps a PersistentVolume of this driver. Returns undefined for others and for volumes without a valid source. */
export function toVolume(object: unknown, mountRoot: string): Volume | undefined {
  const csi = objectAt(object, 'spec', 'csi');
  const name = textAt(objectAt(object, 'metadata'), 'name');
  const handle = textAt(csi, 'volumeHandle');
  if (csi.driver !== driverName || name === undefined || handle === undefined) return undefined;
  const source = parseVolumeSource(objectAt(csi, 'volumeAttributes'), mountRoot);
  if (!source.ok) return undefined;
  const claim = objectAt(object, 'spec', 'claimRef');
  const claimName = textAt(claim, 'name');
  const claimNamespace = textAt(claim, 'namespace');
  const modes = objectAt(object, 'spec').accessModes;
  return {
    name,
    handle,
    dataset:
      claimName === undefined || claimNamespace === undefined
        ? undefined
        : { namespace: claimNamespace, name: claimName },
    sources: [source.value.path],
    subdirectory: source.value.subdirectory,
    accessModes: (Array.isArray(modes) ? modes : []).filter((mode): mode is AccessMode => accessModes.has(mode)),
  };
}

/**
 * Maps a PersistentVolume that was read by its name. `foreign`: it is another driver's, or has no valid source, and stays so, as its source
 * cannot be changed. Undefined: there is none.
 */
export function toReadVolume(object: unknown, mountRoot: string): Volume | 'foreign' | undefined {
  return object === undefined ? undefined : (toVolume(object, mountRoot) ?? 'foreign');
}

/** Maps a PersistentVolumeClaim. Returns undefined if it is not bound. */
export function toClaim(object: unknown): Claim | undefined {
  const metadata = objectAt(object, 'metadata');
  const namespace = textAt(metadata, 'namespace');
  const name = textAt(metadata, 'name');
  const volume = textAt(objectAt(object, 'spec'), 'volumeName');
  if (namespace === undefined || name === undefined || volume === undefined) return undefined;
  return { namespace, name, volume };
}

/** Maps a pod. Returns undefined if it has no claims. */
export function toPodSpec(object: unknown): PodSpec | undefined {
  const metadata = objectAt(object, 'metadata');
  const spec = objectAt(object, 'spec');
  const uid = textAt(metadata, 'uid');
  const namespace = textAt(metadata, 'namespace');
  const name = textAt(metadata, 'name');
  if (uid === undefined || namespace === undefined || name === undefined) return undefined;
  const claims = new Map(listAt(spec, 'volumes').flatMap((volume) => claimOf(volume, name)));
  if (claims.size === 0) return undefined;
  const directories = new Map(listAt(spec, 'volumes').flatMap(directoryOf));
  const runtimeClass = textAt(spec, 'runtimeClassName');
  const restartPolicy = textAt(spec, 'restartPolicy');
  return {
    uid,
    namespace,
    name,
    labels: texts(objectAt(metadata, 'labels')),
    annotations: withoutLastApplied(texts(objectAt(metadata, 'annotations'))),
    ...(runtimeClass === undefined ? {} : { runtimeClass }),
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
    ...controllerOf(metadata),
    deleting: textAt(metadata, 'deletionTimestamp') !== undefined,
    claims,
    containers: ['initContainers', 'containers', 'ephemeralContainers'].flatMap((kind) =>
      listAt(spec, kind).flatMap((container) => toContainer(container, claims, directories)),
    ),
  };
}

/** Claims and volumes as they were read, by key; the value of those that do not exist or are not bound is undefined. */
export interface ReadClaims {
  readonly claims: ReadonlyMap<string, Claim | undefined>;
  readonly volumes: ReadonlyMap<string, Volume | 'foreign' | undefined>;
}

/** Resolves the pod's claims to volumes of this driver. Returns undefined if there are none. */
export function toPod({ claims, ...spec }: PodSpec, { volumes, claims: bound }: ReadClaims): Pod | undefined {
  const names = new Map<string, string>();
  let hasUnread = false;
  for (const [podVolume, { claim }] of claims) {
    const key = `${spec.namespace}/${claim}`;
    const name = bound.get(key)?.volume;
    const volume = volumes.get(name ?? '');
    hasUnread ||= !bound.has(key) || (name !== undefined && !volumes.has(name));
    if (volume === 'foreign') continue;
    // A claim may name any volume. It is bound to the volume only if the volume names the claim in turn.
    const isBound = volume?.dataset?.name === claim && volume.dataset.namespace === spec.namespace;
    if (volume !== undefined && isBound) names.set(podVolume, volume.name);
  }
  if (names.size === 0) return undefined;
  return {
    ...spec,
    volumes: [...new Set(names.values())],
    ...(hasUnread ? { hasUnreadClaims: true } : {}),
    containers: spec.containers.map(({ mounts, others, ...container }) => {
      const ours = mounts.flatMap((mount) => {
        const volume = names.get(mount.volume);
        return volume === undefined ? [] : [{ ...mount, volume }];
      });
      const foreign = mounts
        .filter((mount) => !names.has(mount.volume))
        .map((mount) => otherMount(mount, bound.get(`${spec.namespace}/${claims.get(mount.volume)?.claim}`)?.volume));
      const inside = [...others, ...foreign].filter(({ mountPath }) =>
        ours.some((mount) => mountPath.startsWith(`${mount.mountPath.replace(/\/+$/, '')}/`)),
      );
      return { ...container, mounts: ours, ...(inside.length === 0 ? {} : { others: inside }) };
    }),
  };
}

/** Maps the mount of a claim for a volume of another driver. */
function otherMount({ mountPath, readOnly, subPath }: VolumeMount, volume: string | undefined): OtherMount {
  const directory = `volumes/kubernetes.io~csi/${volume}/mount`;
  return { mountPath, readOnly, ...(volume === undefined || subPath !== undefined ? {} : { directory }) };
}

/** The volume's claim, or the claim of a generic ephemeral volume, which is named `<pod>-<volume>`. */
function claimOf(volume: UncheckedObject, pod: string): [string, { claim: string; readOnly: boolean }][] {
  const name = textAt(volume, 'name');
  if (name === undefined) return [];
  if ('ephemeral' in volume) return [[name, { claim: `${pod}-${name}`, readOnly: false }]];
  const source = objectAt(volume, 'persistentVolumeClaim');
  const claim = textAt(source, 'claimName');
  return claim === undefined ? [] : [[name, { claim, readOnly: source.readOnly === true }]];
}

/** Escaped names of the plugins whose volumes lie in the pod's directory (`pkg/volume/<plugin>`), keyed by their field in the spec. */
const plugins: Readonly<Record<string, string>> = {
  emptyDir: 'kubernetes.io~empty-dir',
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  projected: 'kubernetes.io~projected',
  downwardAPI: 'kubernetes.io~downward-api',
};

/** The kubelet's directory of a volume, relative to the pod's directory. */
function directoryOf(volume: UncheckedObject): [string, string][] {
  const name = textAt(volume, 'name');
  const plugin = Object.keys(plugins).find((key) => key in volume);
  return name === undefined || plugin === undefined ? [] : [[name, `volumes/${plugins[plugin]}/${name}`]];
}

function toContainer(
  container: UncheckedObject,
  claims: PodSpec['claims'],
  directories: ReadonlyMap<string, string>,
): PodSpec['containers'][number][] {
  const name = textAt(container, 'name');
  if (name === undefined) return [];
  const mounts = listAt(container, 'volumeMounts').flatMap((mount): VolumeMount[] => {
    const volume = textAt(mount, 'name');
    const mountPath = textAt(mount, 'mountPath');
    const source = claims.get(volume ?? '');
    if (volume === undefined || mountPath === undefined || source === undefined) return [];
    const subPath = textAt(mount, 'subPath') ?? textAt(mount, 'subPathExpr');
    return [
      {
        volume,
        mountPath,
        readOnly: mount.readOnly === true || source.readOnly,
        ...(subPath === undefined ? {} : { subPath }),
      },
    ];
  });
  const others = listAt(container, 'volumeMounts').flatMap((mount): OtherMount[] => {
    const volume = textAt(mount, 'name') ?? '';
    const mountPath = textAt(mount, 'mountPath');
    if (mountPath === undefined || claims.has(volume)) return [];
    const isWhole = textAt(mount, 'subPath') === undefined && textAt(mount, 'subPathExpr') === undefined;
    const directory = isWhole ? directories.get(volume) : undefined;
    return [{ mountPath, readOnly: mount.readOnly === true, ...(directory === undefined ? {} : { directory }) }];
  });
  const terminationMessagePath = textAt(container, 'terminationMessagePath');
  return [{ name, ...(terminationMessagePath === undefined ? {} : { terminationMessagePath }), mounts, others }];
}

function controllerOf(metadata: UncheckedObject): Pick<PodSpec, 'controller'> {
  const owner = listAt(metadata, 'ownerReferences').find(({ controller }) => controller === true);
  const kind = textAt(owner ?? {}, 'kind');
  const name = textAt(owner ?? {}, 'name');
  return kind === undefined || name === undefined ? {} : { controller: { kind, name } };
}

/** Removes kubectl's copy of the manifest, which is large and not needed. */
function withoutLastApplied(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...kept } = annotations;
  return kept;
}

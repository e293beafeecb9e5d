import { posix } from 'node:path';
import { isReadOnly } from '../engine/policy.ts';
import { listAt, objectAt, textAt, type UncheckedObject } from '../kubernetes/json.ts';
import { type ClusterState, type DatasetVolume, datasetVolumes, readWriteWarning } from './facts.ts';
import {
  findSubPath,
  indexedObjects,
  injected,
  type JsonPatch,
  listContainers,
  type NewPod,
  podLabels,
  recoverPolicy,
  requestsRecovery,
  sidecarTarget,
} from './pod.ts';
import { createSidecar, findSharedDirectory, isPrivileged, type Sidecar } from './sidecar.ts';

/** The changes to a serverless pod, or the reasons why its sidecars cannot be injected. */
export interface SidecarPlan {
  readonly patch: JsonPatch;
  readonly denials: readonly string[];
  readonly warnings: readonly string[];
}

/** All volumes of a pod that mount the same dataset. */
type DatasetVolumes = readonly [DatasetVolume, ...DatasetVolume[]];

interface PlannedSidecar extends Sidecar {
  readonly volumes: DatasetVolumes;
  /** Directory of the shared volume that the application's containers mount. */
  readonly directory: string;
  readonly readOnly: boolean;
  readonly imagePullSecrets: readonly UncheckedObject[];
}

/**
 * Serverless pods run on nodes without a node plugin, so each dataset gets its own sidecar, `fluid-fuse-<n>`. It mounts below
 * a directory that it shares with the pod's other containers and that replaces the claim's volume.
 */
export function planSidecars(pod: NewPod, facts: ClusterState): SidecarPlan {
  const groups = [...Map.groupBy(datasetVolumes(pod, facts), ({ volume }) => volume.name).values()];
  const indices = freeIndices(pod, groups.length);
  const sidecars: PlannedSidecar[] = [];
  const denials: string[] = [];
  for (const [position, [first, ...others]] of groups.entries()) {
    if (first === undefined) continue;
    const planned = planSidecar(pod, facts, [first, ...others], indices[position] ?? position);
    if (typeof planned === 'string') denials.push(planned);
    else sidecars.push(planned);
  }
  if (denials.length > 0) return { patch: [], denials, warnings: [] };
  if (sidecars.length === 0) return { patch: [], denials: [], warnings: [] };
  const warnings = requestsRecovery(pod.pod)
    ? [...sidecars.flatMap(({ volumes }) => noRecoveryWarnings(volumes[0])), ...restartPolicyWarnings(pod, facts)]
    : [];
  return { patch: createPatch(pod, { sidecars, isNative: areNative(pod, facts) }), denials: [], warnings };
}

/** The first indices for which the pod has no container `fluid-fuse-<index>`. */
function freeIndices({ pod }: NewPod, count: number): readonly number[] {
  const names = new Set(listContainers(pod).map(({ name }) => name));
  const candidates = Array.from({ length: count + names.size }, (_, index) => index);
  return candidates.filter((index) => !names.has(`fluid-fuse-${index}`)).slice(0, count);
}

/** Returns the reason as a sentence if the dataset cannot be served by a sidecar. */
function planSidecar(
  { namespace, pod }: NewPod,
  facts: ClusterState,
  volumes: DatasetVolumes,
  index: number,
): PlannedSidecar | string {
  const [{ claim, volume, name }] = volumes;
  const [source = ''] = volume.sources;
  const template = facts.daemons.get(`${namespace}/${claim}`);
  if (template === undefined) {
    return `dataset ${claim} has no DaemonSet of FUSE daemons to create the sidecar of volume "${name}" from: create the pod once the Dataset is Bound`;
  }
  const shared = findSharedDirectory(template, source);
  if (shared === undefined) {
    return `the FUSE daemons of dataset ${claim} mount no Bidirectional hostPath above ${source}, below which the sidecar of volume "${name}" could mount: remove the pod's label, or correct the DaemonSet`;
  }
  const early = volumes.flatMap(({ mounts }) => mounts).find(({ container }) => container.kind === 'initContainers');
  if (early !== undefined) {
    return `init container "${early.container.name}" mounts volume "${name}" (dataset ${claim}), which a sidecar serves only after the init containers have exited: mount it in a container`;
  }
  const readOnly = isReadOnly(volume);
  const isNative = areNative({ pod }, facts);
  const recover = requestsRecovery(pod) && readOnly && volume.subdirectory === '';
  const usedNames = new Set(
    indexedObjects(objectAt(pod, 'spec'), 'volumes').flatMap(({ value }) => textAt(value, 'name') ?? []),
  );
  const podSecurityContext = objectAt(pod, 'spec', 'securityContext');
  const own = { usedNames, podSecurityContext, isNative };
  const sidecar = createSidecar({ index, template, shared, volume: name, recover, readOnly, ...own });
  if (['baseline', 'restricted'].includes(facts.podSecurity ?? '') && isPrivileged(sidecar)) {
    return `namespace ${namespace} enforces the Pod Security level "${facts.podSecurity}", which forbids the privileged sidecar that would serve volume "${name}" (dataset ${claim}): create the pod in a namespace with the label pod-security.kubernetes.io/enforce=privileged, or remove the pod's label ${sidecarTarget.label}`;
  }
  return {
    ...sidecar,
    imagePullSecrets: template.imagePullSecrets,
    volumes,
    directory: posix.join(shared.mountPoint, volume.subdirectory),
    readOnly,
  };
}

/** Why a dataset is not recovered although its pod requests recovery. */
function noRecoveryWarnings(dataset: DatasetVolume): readonly string[] {
  const { claim, name, volume } = dataset;
  if (!isReadOnly(volume)) return [readWriteWarning(dataset)];
  if (volume.subdirectory === '') return [];
  return [
    `volume "${name}" contains only directory "${volume.subdirectory}" of dataset ${claim}, so it is not recovered after a crash of its FUSE daemon: use a Dataset that mounts that directory`,
  ];
}

/** A pod that ends by itself, such as that of a Job, must not wait for its sidecars. */
function areNative({ pod }: Pick<NewPod, 'pod'>, { hasNativeSidecars }: ClusterState): boolean {
  return hasNativeSidecars && (textAt(objectAt(pod, 'spec'), 'restartPolicy') ?? 'Always') !== 'Always';
}

function restartPolicyWarnings({ pod }: NewPod, { hasNativeSidecars }: ClusterState): readonly string[] {
  if (hasNativeSidecars || textAt(objectAt(pod, 'spec'), 'restartPolicy') !== 'Never') return [];
  return [
    `restartPolicy Never also applies to the FUSE sidecar, so ${recoverPolicy.annotation} has no effect: set restartPolicy to Always or OnFailure`,
  ];
}

function createPatch(
  { namespace, pod }: NewPod,
  { sidecars, isNative }: { readonly sidecars: readonly PlannedSidecar[]; readonly isNative: boolean },
): JsonPatch {
  const spec = objectAt(pod, 'spec');
  const served = sidecars.flatMap((sidecar) => sidecar.volumes.map((volume) => ({ sidecar, volume })));
  const rewriteMount = (original: unknown, containerIndex: number, mountIndex: number): unknown => {
    for (const { sidecar, volume } of served) {
      const mount = volume.mounts.find(
        ({ container, index }) => container.index === containerIndex && index === mountIndex,
      );
      if (mount === undefined) continue;
      const { subPath: _, subPathExpr: _expr, recursiveReadOnly: _recursive, readOnly, ...rest } = mount.value;
      const subPath = findSubPath(mount);
      return {
        ...rest,
        name: sidecar.volumes[0].name,
        mountPropagation: 'HostToContainer',
        [subPath?.field ?? 'subPath']:
          subPath === undefined ? sidecar.directory : `${sidecar.directory}/${subPath.path}`,
        ...(sidecar.readOnly || volume.readOnly || readOnly === true ? { readOnly: true } : {}),
      };
    }
    return original;
  };
  const containers = indexedObjects(spec, 'containers').map(({ index, value }) => {
    const mounts = value.volumeMounts;
    if (!Array.isArray(mounts)) return value;
    return { ...value, volumeMounts: mounts.map((mount: unknown, position) => rewriteMount(mount, index, position)) };
  });
  const volumes = indexedObjects(spec, 'volumes').flatMap(({ value }) => {
    const sidecar = served.find(({ volume }) => volume.name === value.name)?.sidecar;
    if (sidecar === undefined) return [value];
    return sidecar.volumes[0].name === value.name ? [{ name: value.name, emptyDir: {} }] : [];
  });
  const labels = Object.fromEntries(
    sidecars.flatMap(({ container, volumes: [{ claim }] }) => [
      [`dataset-name.sidecar.fluid.io/${container.name}`, claim],
      [`dataset-namespace.sidecar.fluid.io/${container.name}`, namespace],
    ]),
  );
  const added = sidecars.map(({ container }) => container).reverse();
  const pullSecrets = mergedPullSecrets(spec, sidecars);
  return [
    // All sidecars come first, so that they start before the application.
    ...(isNative
      ? [
          { op: 'replace' as const, path: '/spec/containers', value: containers },
          {
            op: 'add' as const,
            path: '/spec/initContainers',
            value: [...added, ...indexedObjects(spec, 'initContainers').map(({ value }) => value)],
          },
        ]
      : [{ op: 'replace' as const, path: '/spec/containers', value: [...added, ...containers] }]),
    ...(pullSecrets === undefined ? [] : [{ op: 'add' as const, path: '/spec/imagePullSecrets', value: pullSecrets }]),
    { op: 'replace', path: '/spec/volumes', value: [...volumes, ...sidecars.flatMap(({ podVolumes }) => podVolumes)] },
    { op: 'add', path: '/metadata/labels', value: { ...podLabels(pod), [injected.label]: injected.value, ...labels } },
  ];
}

/** The pod's secrets and those of the sidecars' images; undefined if there are none to add. */
function mergedPullSecrets(
  spec: UncheckedObject,
  sidecars: readonly PlannedSidecar[],
): readonly UncheckedObject[] | undefined {
  const own = listAt(spec, 'imagePullSecrets');
  const byName = new Map(
    [...own, ...sidecars.flatMap((each) => each.imagePullSecrets)].map((each) => [each.name, each]),
  );
  return byName.size === own.length ? undefined : [...byName.values()];
}

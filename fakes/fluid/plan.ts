import { isDeepStrictEqual } from 'node:util';
import type { V1DaemonSet, V1Node, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import type { ControllerEvent } from '../controller.ts';
import { type FluidImages, makeClaim, makeFuseDaemonSet, makeVolume, makeWorkerPod } from './dataset-objects.ts';
import type { FieldError } from './fields.ts';
import { type DatasetKey, type FluidObject, isOwn, standbyDaemonSetName, volumeName, workerRole } from './names.ts';
import { datasetStatus, runtimeStatus } from './status.ts';
import { type DatasetSettings, type SecretKeys, validateDataset } from './validate-dataset.ts';
import { type RuntimeSettings, validateRuntime } from './validate-runtime.ts';

/** Everything that the plan for one dataset depends on. */
export interface ObservedDataset {
  /** As of `DatasetSettings`. */
  readonly mountRoot?: string | undefined;
  readonly key: DatasetKey;
  readonly dataset: FluidObject | undefined;
  readonly runtime: FluidObject | undefined;
  readonly secretKeys: SecretKeys;
  /** The volume with the dataset's name, whether or not these controllers created it. */
  readonly volume: V1PersistentVolume | undefined;
  readonly claim: V1PersistentVolumeClaim | undefined;
  /** The DaemonSet with the dataset's name, whether or not these controllers created it. */
  readonly daemonSet: V1DaemonSet | undefined;
  /** Those of the namespace with a standby's label for the dataset. */
  readonly standbyDaemonSets: readonly V1DaemonSet[];
  /** All pods of the namespace. */
  readonly pods: readonly V1Pod[];
  readonly nodes: readonly V1Node[];
}

/** An object that these controllers create. */
export type DatasetObject = V1PersistentVolume | V1PersistentVolumeClaim | V1DaemonSet | V1Pod;

/** One change. The steps of a plan are applied in order; a failure ends the plan. */
export type FluidStep =
  | { readonly do: 'create'; readonly object: DatasetObject }
  /** Replaces the template by which pods are created from now on. */
  | { readonly do: 'update'; readonly daemonSet: V1DaemonSet }
  /** Removes a label of a node. */
  | { readonly do: 'remove-label'; readonly node: string; readonly label: string }
  | { readonly do: 'delete'; readonly object: DatasetObject }
  | {
      readonly do: 'set-status';
      readonly object: FluidObject;
      readonly status: Readonly<Record<string, unknown>>;
      readonly events: readonly ControllerEvent[];
    };

/** Whether a dataset is served, with the wrong fields if it is refused. */
export type Assessment =
  | { readonly state: 'refused'; readonly dataset: readonly FieldError[]; readonly runtime: readonly FieldError[] }
  | { readonly state: 'without-runtime' }
  | { readonly state: 'accepted'; readonly settings: DatasetSettings & RuntimeSettings };

/** Computes what must change so that a dataset has what it should have; empty once it has. `now` is written into conditions. */
export function plan(observed: ObservedDataset, images: FluidImages, now: string): readonly FluidStep[] {
  const dataset = unlessDeleted(observed.dataset);
  const runtime = unlessDeleted(observed.runtime);
  if (!dataset) return tearDown(observed);
  const assessment = assess({ ...observed, dataset, runtime });
  const bound = observed.claim?.status?.phase === 'Bound';
  const status = [
    ...datasetStatus({ dataset, runtime, assessment, bound, now }),
    ...(runtime ? runtimeStatus(runtime, assessment, ownPods(observed)) : []),
  ];
  if (!runtime) return [...status, ...tearDown(observed)];
  if (assessment.state !== 'accepted') return status;
  return [
    ...build({
      observed,
      dataset,
      runtime,
      settings: { ...assessment.settings, mountRoot: observed.mountRoot },
      images,
    }),
    ...status,
  ];
}

function assess(observed: ObservedDataset & { readonly dataset: FluidObject }): Assessment {
  const dataset = validateDataset(observed.dataset, observed.secretKeys);
  const runtime = observed.runtime ? validateRuntime(observed.runtime) : undefined;
  const datasetErrors = [...(dataset.ok ? [] : dataset.errors), ...checkVolumeName(observed)];
  const runtimeErrors = runtime && !runtime.ok ? runtime.errors : [];
  if (!dataset.ok || datasetErrors.length + runtimeErrors.length > 0) {
    return { state: 'refused', dataset: datasetErrors, runtime: runtimeErrors };
  }
  if (!runtime?.ok) return { state: 'without-runtime' };
  return { state: 'accepted', settings: { ...dataset.value, ...runtime.value } };
}

/** Refuses a dataset whose volume name is taken: names of volumes are not injective, and others create volumes, too. */
function checkVolumeName({ key, volume }: ObservedDataset): readonly FieldError[] {
  if (!volume || belongsTo(volume, key)) return [];
  const { namespace, name } = volume.spec?.claimRef ?? {};
  const owner = namespace === undefined ? 'belongs to no dataset' : `belongs to the claim ${namespace}/${name}`;
  const message = `the PersistentVolume ${volumeName(key)} already exists and ${owner}: rename this dataset, or its namespace`;
  return [{ field: 'metadata.name', message }];
}

function belongsTo(volume: V1PersistentVolume, { namespace, name }: DatasetKey): boolean {
  const claim = volume.spec?.claimRef;
  return isOwn(volume) && claim?.namespace === namespace && claim?.name === name;
}

const hasEnded = ({ status }: V1Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
const isBeingDeleted = ({ metadata }: DatasetObject): boolean => metadata?.deletionTimestamp !== undefined;
const unlessDeleted = (object: FluidObject | undefined): FluidObject | undefined =>
  object?.metadata.deletionTimestamp === undefined ? object : undefined;

const ownPods = ({ key, pods }: ObservedDataset): readonly V1Pod[] =>
  pods.filter((pod) => isOwn(pod) && pod.metadata?.labels?.release === key.name);

/**
 * Deletes what was created for a dataset that is gone or has lost its runtime, and removes the label that placed its daemons from the nodes
 * (Fluid `pkg/ctrl/fuse.go`). The pods of a DaemonSet go with it.
 */
function tearDown(observed: ObservedDataset): readonly FluidStep[] {
  const { key, claim, volume, daemonSet, standbyDaemonSets, nodes } = observed;
  const own = daemonSet && isOwn(daemonSet) ? [daemonSet] : [];
  const labels = own.flatMap(({ spec }) => Object.keys(spec?.template.spec?.nodeSelector ?? {}));
  const labelled = labels.flatMap((label) =>
    nodes.flatMap(({ metadata }) =>
      metadata?.name && label in (metadata.labels ?? {}) ? [{ node: metadata.name, label }] : [],
    ),
  );
  return [
    ...labelled.map((each): FluidStep => ({ do: 'remove-label', ...each })),
    ...[
      ...standbyDaemonSets.filter(isOwn),
      ...own,
      ...workersOf(observed),
      ...(claim && isOwn(claim) ? [claim] : []),
      ...(volume && belongsTo(volume, key) ? [volume] : []),
    ]
      .filter((object) => !isBeingDeleted(object))
      .map((object): FluidStep => ({ do: 'delete', object })),
  ];
}

const workersOf = (observed: ObservedDataset): readonly V1Pod[] =>
  ownPods(observed).filter(({ metadata }) => metadata?.labels?.role === workerRole);

function build({
  observed,
  dataset,
  runtime,
  settings,
  images,
}: {
  readonly observed: ObservedDataset;
  readonly dataset: FluidObject;
  readonly runtime: FluidObject;
  readonly settings: DatasetSettings & RuntimeSettings;
  readonly images: FluidImages;
}): readonly FluidStep[] {
  const { key, volume, claim, daemonSet, standbyDaemonSets } = observed;
  const uid = dataset.metadata.uid ?? '';
  const workers = workersOf(observed);
  const standbys = Array.from({ length: settings.standbys }, (_, standby) => standby);
  const wantedWorkers = Array.from({ length: settings.replicas }, (_, index) =>
    makeWorkerPod({ key, runtime, index, images }),
  );
  const wantedNames = new Set(wantedWorkers.map(({ metadata }) => metadata?.name));
  const presentNames = new Set(workers.map(({ metadata }) => metadata?.name));
  const fuse = { key, uid, settings, runtime, images };
  const wantedSets = [undefined, ...standbys].map((standby) => makeFuseDaemonSet({ ...fuse, standby }));
  const presentSets = new Map(
    [...(daemonSet ? [daemonSet] : []), ...standbyDaemonSets].map((set) => [nameOf(set), set]),
  );
  const standbyNames = new Set(standbys.map((standby) => standbyDaemonSetName(key, standby)));
  const superfluous = [
    ...standbyDaemonSets.filter((set) => isOwn(set) && !standbyNames.has(nameOf(set))),
    ...workers.filter((pod) => !wantedNames.has(pod.metadata?.name) || hasEnded(pod)),
  ].filter((object) => !isBeingDeleted(object));
  const missing = [
    // Before the claim: a pod whose claim is bound must find the DaemonSet.
    ...wantedSets.filter((set) => !presentSets.has(nameOf(set))),
    ...(volume ? [] : [makeVolume(key, uid, settings)]),
    ...(claim || !isVolumeOffered(observed, images) ? [] : [makeClaim(key, uid, settings)]),
  ];
  return [
    ...missing.map((object): FluidStep => ({ do: 'create', object })),
    ...wantedSets.flatMap((wanted): readonly FluidStep[] => {
      const present = presentSets.get(nameOf(wanted));
      return present && isOwn(present) && !hasSameDaemon(present, wanted) ? [{ do: 'update', daemonSet: wanted }] : [];
    }),
    ...superfluous.map((object): FluidStep => ({ do: 'delete', object })),
    ...wantedWorkers
      .filter(({ metadata }) => !presentNames.has(metadata?.name))
      .map((object): FluidStep => ({ do: 'create', object })),
  ];
}

const nameOf = ({ metadata }: V1DaemonSet): string => metadata?.name ?? '';

/** Whether two DaemonSets start daemons with the same flags, on which everything else depends. */
function hasSameDaemon(a: V1DaemonSet, b: V1DaemonSet): boolean {
  const [one, other] = [a, b].map(({ spec }) => spec?.template.spec?.containers[0]?.args);
  return isDeepStrictEqual(one, other);
}

/**
 * Whether a claim created now would be bound at once. A real volume controller that does not know the volume yet retries only after
 * 15 seconds; the volumes that it knows have a phase.
 */
const isVolumeOffered = ({ volume }: ObservedDataset, { onCluster }: FluidImages): boolean =>
  onCluster === undefined || volume?.status?.phase === 'Available' || volume?.status?.phase === 'Bound';

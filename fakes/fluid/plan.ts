import type { V1Pod } from '@kubernetes/client-node';
import { datasetStatus } from './dataset-status.ts';
import type { Judgement } from './judge.ts';
import { belongsTo, judge } from './judge.ts';
import { fuseRole, madeHere, workerRole } from './naming.ts';
import type { FluidImages } from './pod-objects.ts';
import { makeFuseDaemonSet, makeFusePod, makeWorkerPod } from './pod-objects.ts';
import { runtimeStatus } from './runtime-status.ts';
import type { Step } from './step.ts';
import type { View } from './view.ts';
import { makeClaim, makeVolume } from './volume-objects.ts';

const roleOf = ({ metadata }: V1Pod): string | undefined => metadata?.labels?.role;
const hasEnded = ({ status }: V1Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
const isGoing = ({ metadata }: V1Pod): boolean => metadata?.deletionTimestamp !== undefined;

const ours = ({ key, pods }: View): readonly V1Pod[] =>
  pods.filter(
    ({ metadata }) => metadata?.labels?.release === key.name && metadata.labels[madeHere.label] === madeHere.value,
  );

/** Nodes on which a pod that uses the claim is scheduled and has not ended. */
function nodesInUse({ key, pods }: View): ReadonlySet<string> {
  const users = pods.filter(
    (pod) =>
      !hasEnded(pod) &&
      !isGoing(pod) &&
      pod.spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === key.name),
  );
  return new Set(users.flatMap(({ spec }) => (spec?.nodeName ? [spec.nodeName] : [])));
}

/**
 * Whether a claim finds the volume. A real volume controller looks again for one that it does not know yet only after 15 seconds;
 * what it knows has a phase.
 */
const isOffered = ({ volume }: View, { onCluster }: FluidImages): boolean =>
  onCluster === undefined || volume?.status?.phase === 'Available' || volume?.status?.phase === 'Bound';

/** Takes away what was made for a dataset that is no more, or has lost its runtime. */
function teardown(view: View): readonly Step[] {
  const { key, claim, volume, daemonSet } = view;
  const set = daemonSet?.metadata;
  const made = claim?.metadata?.labels?.[madeHere.label] === madeHere.value;
  return [
    ...ours(view).filter((pod) => !isGoing(pod)),
    ...(daemonSet && set?.labels?.[madeHere.label] === madeHere.value && set.deletionTimestamp === undefined
      ? [daemonSet]
      : []),
    ...(claim && made && claim.metadata?.deletionTimestamp === undefined ? [claim] : []),
    ...(volume && belongsTo(volume, key) && volume.metadata?.deletionTimestamp === undefined ? [volume] : []),
  ].map((object): Step => ({ do: 'delete', object }));
}

function build(
  view: View,
  wanted: Extract<Judgement, { state: 'wanted' }>,
  images: FluidImages,
  owners: { readonly dataset: NonNullable<View['dataset']>; readonly runtime: NonNullable<View['runtime']> },
): readonly Step[] {
  const { key, volume, claim, daemonSet } = view;
  const { facts } = wanted;
  const { dataset, runtime } = owners;
  const uid = dataset.metadata.uid ?? '';
  const pods = ours(view);
  const workers = pods.filter((pod) => roleOf(pod) === workerRole);
  const fuses = pods.filter((pod) => roleOf(pod) === fuseRole);
  const wantedWorkers = Array.from({ length: facts.replicas }, (_, index) =>
    makeWorkerPod({ key, runtime, index, images }),
  );
  const names = new Set(wantedWorkers.map(({ metadata }) => metadata?.name));
  const present = new Set(workers.map(({ metadata }) => metadata?.name));
  const served = new Set(fuses.map(({ spec }) => spec?.nodeName));
  const finished = [
    ...pods.filter((pod) => hasEnded(pod) && !isGoing(pod)),
    ...workers.filter((pod) => !names.has(pod.metadata?.name) && !isGoing(pod) && !hasEnded(pod)),
  ];
  return [
    // Before the claim, so that whoever finds the claim bound finds it, too.
    ...(daemonSet ? [] : [{ do: 'create', object: makeFuseDaemonSet({ key, facts, runtime, images }) } as const]),
    ...(volume ? [] : [{ do: 'create', object: makeVolume(key, uid, facts) } as const]),
    ...(claim || !isOffered(view, images) ? [] : [{ do: 'create', object: makeClaim(key, uid, facts) } as const]),
    ...finished.map((object): Step => ({ do: 'delete', object })),
    ...wantedWorkers
      .filter(({ metadata }) => !present.has(metadata?.name))
      .map((object): Step => ({ do: 'create', object })),
    ...[...nodesInUse(view)]
      .filter((nodeName) => !served.has(nodeName))
      .map((nodeName): Step => ({ do: 'create-on-node', pod: makeFusePod({ key, facts, runtime, nodeName, images }) })),
  ];
}

/** What has to be done so that a dataset has what it should have; empty once it has. Pure; `now` is written into conditions. */
export function plan(view: View, images: FluidImages, now: string): readonly Step[] {
  const dataset = view.dataset?.metadata.deletionTimestamp === undefined ? view.dataset : undefined;
  const runtime = view.runtime?.metadata.deletionTimestamp === undefined ? view.runtime : undefined;
  if (!dataset) return teardown(view);
  const judgement = judge({ ...view, dataset, runtime });
  const bound = view.claim?.status?.phase === 'Bound';
  const status = [
    ...datasetStatus({ dataset, runtime, judgement, bound, now }),
    ...(runtime ? runtimeStatus(runtime, judgement, ours(view)) : []),
  ];
  switch (judgement.state) {
    case 'refused':
      return runtime ? status : [...status, ...teardown(view)];
    case 'without-runtime':
      return [...status, ...teardown(view)];
    case 'wanted':
      return runtime ? [...build(view, judgement, images, { dataset, runtime }), ...status] : status;
  }
}

import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import { keepsLayersWithin } from '../checks/layers-within.ts';
import { seesNoEmptyDirectory } from '../checks/never-empty.ts';
import { readsNoWrongData } from '../checks/no-wrong-data.ts';
import { isReadOnlyInPod } from '../checks/read-only-in-pod.ts';
import { readsAgain } from '../checks/reads-again.ts';
import type { Fault } from '../faults/fault.ts';
import { sigkill } from '../faults/sigkill.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import type { Subject } from './judgements.ts';
import { application, type Manifest } from './manifests.ts';
import type { Trial } from './trial.ts';

const target = { 'alibabacloud.com/fluid-sidecar-target': 'eci' };
const burst = { 'alibabacloud.com/burst-resource': 'eci_only' };
const recover = { 'alibabacloud.com/fuse-recover-policy': 'auto' };

/** What the document's app.yaml of the serverless flow has beside the ordinary one's. */
export interface ServerlessDifferences {
  /** With the annotation that turns recovery on. */
  readonly recovers: boolean;
}

/** The document's app.yaml of the serverless flow; only the image is another. */
export function serverlessApplication(name: string, dataset: string, { recovers }: ServerlessDifferences): Manifest {
  const pod = application({ name, dataset, labels: target });
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...burst, ...(recovers ? recover : {}) } } };
}

/** An ordinary pod, without the label, that has the annotation of serverless pods. */
export function ordinaryWithAnnotation(name: string, dataset: string): Manifest {
  const pod = application({ name, dataset, labels: {} });
  return { ...pod, metadata: { ...pod.metadata, annotations: recover } };
}

/** Creates a pod and reads in it. */
export async function startPod(trial: Trial, pod: Manifest, dataset: string): Promise<void> {
  await trial.ensureDataset(dataset);
  await trial.objects.create(pod);
  await trial.observe(pod.metadata?.name ?? '', dataset);
}

/** How a fault is done to a sidecar. */
export interface SidecarCrash {
  readonly pod: string;
  /** `fluid-fuse-0`. */
  readonly container: string;
  /** How long the kubelet does not start it again. */
  readonly holdMs: number;
}

/** Crashes a pod's sidecar. */
export async function crashSidecar(
  trial: Trial,
  fault: Fault,
  { pod, container, holdMs }: SidecarCrash,
): Promise<void> {
  const sidecar = { namespace: trial.namespace, pod, container };
  const { dataset } = trial.application(pod);
  if (holdMs === 0) return trial.strike(fault, dataset, sidecar);
  await using _ = await trial.session.cluster.holdRestarts(sidecar);
  await trial.strike(fault, dataset, sidecar);
  await trial.watchFor(holdMs);
}

/** A pod, its dataset, and its sidecar's container. */
export interface Restarted {
  readonly pod: string;
  readonly dataset: string;
  readonly container: string;
}

/** Starts a pod, crashes its sidecar, then its application's container, and reads in it from then on. */
export async function startRestarted(trial: Trial, { pod, dataset, container }: Restarted): Promise<void> {
  const { namespace, session } = trial;
  await trial.ensureDataset(dataset);
  await trial.objects.create(serverlessApplication(pod, dataset, { recovers: true }));
  await trial.waitForPod(pod);
  await trial.strike(sigkill, dataset, { namespace, pod, container });
  await trial.daemonReadyAfter(trial.lastFault);
  await session.cluster.kill({ namespace, pod, container: 'demo' }, 'SIGKILL');
  await trial.poll({
    what: `the container demo of ${pod} is started again`,
    look: async () => restartsOf(await trial.pod(pod)).demo ?? 0,
    until: (count) => count > 0,
    say: (count) => `${count} restarts`,
  });
  await trial.observe(pod, dataset);
}

/** Labels of the node that a pod is on, and the claims that it uses. */
export async function placeOf(trial: Trial, name: string) {
  const { spec } = await trial.pod(name);
  const node = await trial.session.cluster.kubeConfig.makeApiClient(CoreV1Api).readNode({ name: spec?.nodeName ?? '' });
  return {
    labels: Object.entries(node.metadata?.labels ?? {}).map(([key, value]) => `${key}=${value}`),
    claims: (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []),
  };
}

/** When a pod's sidecar was ready for the first time, and when its application's container was started; 0 where it was not. */
export function beginningOf(
  trial: Trial,
  names: { readonly pod: string; readonly container: string; readonly sidecar: string },
) {
  const at = (container: string, change: 'started' | 'ready'): number => {
    const name = `${trial.namespace}/${names.pod}/${container}`;
    const is = (event: HistoryEvent) => event.kind === 'process' && event.change === change && event.name === name;
    return trial.history.find(is)?.at ?? 0;
  };
  return { served: at(names.sidecar, 'ready'), started: at(names.container, 'started') };
}

/** Keeps the node agent from running until the end of the scenario. */
export async function withoutAgent(trial: Trial): Promise<void> {
  trial.use(await trial.session.cluster.stopAgent());
}

/** As `kubectl get pod` shows it, and the names of its containers. */
export function summaryOf({ status, spec }: V1Pod) {
  const { phase, containerStatuses = [] } = status ?? {};
  const ready = containerStatuses.filter((container) => container.ready).length;
  return {
    ready: `${ready}/${spec?.containers.length ?? 0}`,
    phase,
    restarts: containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    containers: (spec?.containers ?? []).map(({ name }) => name),
  };
}

/** How often the sidecar was started again, and the application. */
export function restartsOf({ status }: V1Pod): Readonly<Record<string, number>> {
  return Object.fromEntries((status?.containerStatuses ?? []).map(({ name, restartCount }) => [name, restartCount]));
}

/** How often a container was started again, once the kubelet has told the API server of so many times, or of more. */
export async function toldRestarts(
  trial: Trial,
  { pod, container, times }: { readonly pod: string; readonly container: string; readonly times: number },
): Promise<number> {
  return trial.poll({
    what: `the kubelet tells of ${times} restarts of ${container}`,
    look: async () => restartsOf(await trial.pod(pod))[container] ?? 0,
    until: (told) => told >= times,
    say: (told) => `${told} restarts`,
  });
}

/** What a recovery has to be of a container that was started again before it, on purpose. */
export function judgeReading({ trial, consumer }: Subject): readonly CheckRecord[] {
  const checks = [readsAgain, seesNoEmptyDirectory, readsNoWrongData];
  return checks.map((check) => check(trial.history, consumer));
}

/** The pod's mount path has no more than so many FUSE mounts, ever; takes its mount table. */
export async function judgeLayers({ trial, consumer }: Subject, most: number): Promise<CheckRecord> {
  await trial.countMounts();
  return keepsLayersWithin(trial.history, { consumer, most, after: 'after' });
}

export async function judgeReadOnly({ trial, consumer }: Subject): Promise<CheckRecord> {
  await trial.countMounts();
  return isReadOnlyInPod(trial.history, consumer);
}

import { CoreV1Api, type CoreV1Event, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { recoveryLabel } from '../../recovery/engine/policy.ts';
import { formatNs } from '../timeline/duration.ts';
import { type ClusterStatus, isReadable, type VolumeOfNode } from './cluster-status.ts';
import { age, type RenderOptions, renderMount, wrapped } from './render-status.ts';

/** What is known of one pod. */
export interface PodFacts {
  readonly pod: V1Pod;
  /** Whether its node is Ready; undefined if it cannot be read. */
  readonly nodeReady: boolean | undefined;
  /** Of the pod and of its datasets. */
  readonly events: readonly CoreV1Event[];
  readonly status: ClusterStatus;
}

/** Reads a pod with the events of it and its datasets. Rejects with an `ApiException` if there is no such pod. */
export async function readPodFacts(
  {
    kubeConfig,
    namespace,
    name,
  }: { readonly kubeConfig: KubeConfig; readonly namespace: string; readonly name: string },
  status: ClusterStatus,
): Promise<PodFacts> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const pod = await api.readNamespacedPod({ namespace, name });
  const claims = (pod.spec?.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
  const { items } = await api.listNamespacedEvent({ namespace });
  const isOfPod = ({ involvedObject: { kind, name: object, uid } }: CoreV1Event) =>
    (kind === 'Pod' && object === name && (uid === undefined || uid === pod.metadata?.uid)) ||
    (kind === 'Dataset' && claims.includes(object ?? ''));
  // Not every reader may read nodes.
  const node = await api.readNode({ name: pod.spec?.nodeName ?? '' }).catch(() => undefined);
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    pod,
    nodeReady: node === undefined ? undefined : ready?.status === 'True',
    events: items.filter(isOfPod),
    status,
  };
}

/** The story of a pod: what it is, what it can read now and why, and what happened to it. */
export function renderStory({ pod, nodeReady, events, status }: PodFacts, options: RenderOptions): string {
  const { colour } = options;
  const now = Date.parse(status.takenAt);
  const { namespace = '', name = '', labels = {} } = pod.metadata ?? {};
  const node = pod.spec?.nodeName ?? 'no node';
  const volumes = volumesOf(pod, status);
  const lines = [
    `${colour('bold', `pod ${namespace}/${name}`)} on ${node}${nodeReady === false ? colour('red', ', which is not ready') : ''}`,
  ];
  const labelled = labels[recoveryLabel] === 'true';
  lines.push(...wrapped(`${labelled ? 'has' : 'does not have'} the label ${recoveryLabel}=true`, '  ', options, 'dim'));
  for (const { name: container, restartCount, state } of pod.status?.containerStatuses ?? []) {
    const started = state?.running?.startedAt;
    const text = started === undefined ? 'is not running' : `runs for ${age(new Date(started).toISOString(), now)}`;
    lines.push(`  container ${container} ${text}, restarted ${restartCount} times`);
  }
  for (const volume of volumes) {
    const of = volume.dataset === undefined ? '' : `, dataset ${volume.dataset.namespace}/${volume.dataset.name}`;
    lines.push('', ...wrapped(`volume ${volume.name}${of}`, '', options, 'bold'));
    for (const { path, state, since } of volume.daemons)
      lines.push(
        ...wrapped(
          `its daemon is ${state} for ${age(since, now)}: ${path}`,
          '  ',
          options,
          state === 'live' ? 'green' : 'red',
        ),
      );
    for (const mount of volume.mounts) lines.push(...renderMount(mount, now, options));
  }
  lines.push('', colour('bold', 'what happened'));
  const sorted = events.toSorted((a, b) => timeOf(a) - timeOf(b));
  if (sorted.length === 0) lines.push('  no event is left; Kubernetes keeps them for an hour');
  for (const event of sorted) {
    const { involvedObject, reason, message = '', count = 1, type } = event;
    const time = new Date(timeOf(event)).toISOString().slice(11, 19);
    const times = count > 1 ? ` (${count} times)` : '';
    const text = `${time}  ${involvedObject.kind} ${reason}${times}: ${message}`;
    lines.push(...wrapped(text, '  ', options, type === 'Warning' ? 'yellow' : 'reset'));
  }
  lines.push('', conclude(volumes, { status, node, colour }));
  return `${lines.join('\n')}\n`;
}

/** The same facts as data, of the pod only what the story uses: its spec may hold secrets. */
export function storyAsData({ pod, nodeReady, events, status }: PodFacts) {
  const { namespace, name, labels = {} } = pod.metadata ?? {};
  return {
    namespace,
    pod: name,
    node: pod.spec?.nodeName,
    nodeReady,
    labelled: labels[recoveryLabel] === 'true',
    containers: (pod.status?.containerStatuses ?? []).map(({ name: container, restartCount, state }) => ({
      name: container,
      restartCount,
      startedAt: state?.running?.startedAt,
    })),
    volumes: volumesOf(pod, status),
    unreachable: status.unreachable.filter(({ node }) => node === pod.spec?.nodeName),
    events: events
      .toSorted((a, b) => timeOf(a) - timeOf(b))
      .map((event) => ({
        at: new Date(timeOf(event)).toISOString(),
        type: event.type,
        reason: event.reason,
        object: `${event.involvedObject.kind} ${event.involvedObject.namespace}/${event.involvedObject.name}`,
        message: event.message,
        count: event.count ?? 1,
      })),
  };
}

/** The volumes of a pod, each with its mounts in this pod alone. */
function volumesOf({ metadata, spec }: V1Pod, { nodes }: ClusterStatus): readonly VolumeOfNode[] {
  const ofNode = nodes.find(({ node }) => node === spec?.nodeName)?.volumes ?? nodes.flatMap(({ volumes }) => volumes);
  return ofNode
    .map((volume) => ({ ...volume, mounts: volume.mounts.filter(({ podUid }) => podUid === metadata?.uid) }))
    .filter(({ mounts }) => mounts.length > 0);
}

const timeOf = ({ lastTimestamp, eventTime, metadata }: CoreV1Event): number =>
  new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();

function conclude(
  volumes: readonly VolumeOfNode[],
  { status, node, colour }: { readonly status: ClusterStatus; readonly node: string } & Pick<RenderOptions, 'colour'>,
): string {
  const mounts = volumes.flatMap((volume) => volume.mounts);
  const unreachable = status.unreachable.find((each) => each.node === node);
  if (unreachable !== undefined)
    return colour('red', `✘ the agent of its node could not be asked: ${unreachable.error}`);
  if (mounts.length === 0) return 'no volume of the driver is mounted for it, as far as the agents know';
  const broken = mounts.filter((mount) => !isReadable(mount)).length;
  if (broken > 0) return colour('red', `✘ ${broken} of its ${mounts.length} mounts cannot be read`);
  const outages = mounts.flatMap(({ container, lastRecovery }) =>
    container === undefined ? [] : (lastRecovery?.outageMs ?? []),
  );
  const last = outages.length === 0 ? '' : `; its last outage took ${formatNs(Math.max(...outages) * 1e6)}`;
  return colour('green', `✔ all of its ${mounts.length} mounts can be read${last}`);
}

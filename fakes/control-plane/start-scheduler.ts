import type { KubeConfig, V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { CoreV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { eventRecorder } from '../fluid/event-recorder.ts';
import { startKeyQueue } from '../fluid/key-queue.ts';
import type { Watched } from '../fluid/watched.ts';
import { startWatched } from '../fluid/watched.ts';
import { place } from './schedule.ts';

const scheduledCondition = ({ status }: V1Pod) => status?.conditions?.find(({ type }) => type === 'PodScheduled');

interface SchedulerCaches {
  readonly pods: Watched<V1Pod>;
  readonly nodes: Watched<V1Node>;
  readonly claims: Watched<V1PersistentVolumeClaim>;
}

/** Stands in for kube-scheduler: gives pending pods a node, or a condition that says why not. Until disposed of. */
export async function startScheduler({
  kubeConfig,
  log,
}: {
  readonly kubeConfig: KubeConfig;
  readonly log: (line: string) => void;
}): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const record = eventRecorder(core, 'default-scheduler');
  let caches: SchedulerCaches | undefined;

  const bind = async (pod: V1Pod, node: string): Promise<void> => {
    const { name = '', namespace = '' } = pod.metadata ?? {};
    await core.createNamespacedPodBinding({
      name,
      namespace,
      body: { metadata: { name, namespace }, target: { apiVersion: 'v1', kind: 'Node', name: node } },
    });
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    await record({ about: { apiVersion: 'v1', kind: 'Pod', ...pod }, type: 'Normal', reason: 'Scheduled', message });
  };
  const wait = async (pod: V1Pod, message: string): Promise<void> => {
    if (scheduledCondition(pod)?.message === message) return;
    const { name = '', namespace = '' } = pod.metadata ?? {};
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: new Date().toISOString(),
    };
    await core.patchNamespacedPodStatus(
      { name, namespace, body: { status: { conditions: [condition] } } },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    const about = { apiVersion: 'v1', kind: 'Pod', ...pod };
    await record({ about, type: 'Warning', reason: 'FailedScheduling', message });
  };
  const schedule = async (key: string): Promise<'done'> => {
    const [namespace = '', name = ''] = key.split('/');
    const pod = caches?.pods.get(name, namespace);
    if (!caches || !pod) return 'done';
    const claims = new Map(caches.claims.list(namespace).map((claim) => [claim.metadata?.name ?? '', claim]));
    const placement = place(pod, caches.nodes.list(), claims);
    if (placement === 'leave') return 'done';
    await ('bind' in placement ? bind(pod, placement.bind) : wait(pod, placement.wait));
    return 'done';
  };

  const queue = startKeyQueue(schedule, (key, error) => {
    const still = caches?.pods.get(key.slice(key.indexOf('/') + 1), key.slice(0, key.indexOf('/')));
    if (still && still.spec?.nodeName === undefined) log(`pod ${key}: ${String(error)}`);
  });
  const add = ({ metadata, spec }: V1Pod): void => {
    if (spec?.nodeName === undefined) queue.add(`${metadata?.namespace}/${metadata?.name}`);
  };
  const addAll = (): void => caches?.pods.list().forEach(add);
  const [pods, nodes, claims] = await Promise.all([
    startWatched<V1Pod>({
      kubeConfig,
      path: '/api/v1/pods',
      list: () => core.listPodForAllNamespaces(),
      changed: add,
    }).then((watched) => starting.use(watched)),
    startWatched<V1Node>({
      kubeConfig,
      path: '/api/v1/nodes',
      list: () => core.listNode(),
      changed: addAll,
    }).then((watched) => starting.use(watched)),
    startWatched<V1PersistentVolumeClaim>({
      kubeConfig,
      path: '/api/v1/persistentvolumeclaims',
      list: () => core.listPersistentVolumeClaimForAllNamespaces(),
      changed: addAll,
    }).then((watched) => starting.use(watched)),
  ]);
  starting.use(queue);
  caches = { pods, nodes, claims };
  addAll();
  const kept = starting.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

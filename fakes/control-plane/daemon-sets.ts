import type { V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { ApiException, AppsV1Api, CoreV1Api } from '@kubernetes/client-node';
import { type ControllerParts, coreKinds, keyOf, startController } from '../controller.ts';

const isOf = ({ metadata }: V1Pod, set: V1DaemonSet): boolean =>
  metadata?.ownerReferences?.some(({ uid }) => uid === set.metadata?.uid) ?? false;
const hasEnded = ({ status }: V1Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** What a DaemonSet lacks, and has too many of. `pods`: those of its namespace. Pods that are being deleted keep their node until they are gone. */
export function placeDaemons(
  set: V1DaemonSet,
  nodes: readonly V1Node[],
  pods: readonly V1Pod[],
): { readonly create: readonly V1Pod[]; readonly remove: readonly V1Pod[] } {
  const { nodeSelector } = set.spec?.template.spec ?? {};
  // The node agent's DaemonSet has no selector: here it is a process of the sandbox, not a pod.
  if (nodeSelector === undefined || set.metadata?.deletionTimestamp !== undefined) return { create: [], remove: [] };
  const own = pods.filter((pod) => isOf(pod, set));
  const selected = new Set(
    nodes
      .filter(({ metadata }) => Object.entries(nodeSelector).every(([key, value]) => metadata?.labels?.[key] === value))
      .map(({ metadata }) => metadata?.name ?? ''),
  );
  const occupied = new Set(own.map(({ spec }) => spec?.nodeName));
  return {
    create: [...selected].filter((node) => !occupied.has(node)).map((node) => makePod(set, node)),
    remove: own.filter(
      (pod) =>
        pod.metadata?.deletionTimestamp === undefined && (hasEnded(pod) || !selected.has(pod.spec?.nodeName ?? '')),
    ),
  };
}

/** The real controller leaves the binding to the scheduler, by an affinity for the node's name. */
function makePod({ metadata, spec }: V1DaemonSet, nodeName: string): V1Pod {
  const { name = '', namespace = '', uid = '' } = metadata ?? {};
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name, uid, controller: true, blockOwnerDeletion: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...spec?.template.metadata, generateName: `${name}-`, namespace, ownerReferences: [owner] },
    spec: { containers: [], ...spec?.template.spec, nodeName },
  };
}

/**
 * Stands in for the DaemonSet controller of kube-controller-manager: a pod on each node that a DaemonSet's node selector matches, until
 * disposed of. Taints are ignored, and DaemonSets without a node selector.
 */
export function startDaemonSets({ kubeConfig, log }: ControllerParts): Promise<AsyncDisposable> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { pods, nodes } = coreKinds(core);
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  return startController<{ sets: V1DaemonSet; pods: V1Pod; nodes: V1Node }>({
    kubeConfig,
    kinds: {
      sets: {
        path: '/apis/apps/v1/daemonsets',
        list: () => apps.listDaemonSetForAllNamespaces(),
        keys: (set) => [keyOf(set)],
      },
      pods: {
        ...pods,
        keys: (pod, { sets }) =>
          sets
            .list(pod.metadata?.namespace)
            .filter((set) => isOf(pod, set))
            .map(keyOf),
      },
      nodes: {
        ...nodes,
        keys: (_node, { sets }) => sets.list().map(keyOf),
      },
    },
    async reconcile({ namespace, name }, { sets, pods, nodes }) {
      const set = sets.get(name, namespace);
      if (!set) return 'done';
      const { create, remove } = placeDaemons(set, nodes.list(), pods.list(namespace));
      // The watch may be behind: another pod on the same node would share its mount.
      const created = create.length > 0 ? (await core.listNamespacedPod({ namespace })).items : [];
      const isServed = (node: string | undefined) =>
        created.some((pod) => isOf(pod, set) && pod.spec?.nodeName === node);
      for (const { metadata = {} } of remove) {
        const body = { preconditions: { uid: metadata.uid ?? '' } };
        await core.deleteNamespacedPod({ name: metadata.name ?? '', namespace, body }).catch(ignoreGone);
      }
      for (const body of create.filter(({ spec }) => !isServed(spec?.nodeName)))
        await core.createNamespacedPod({ namespace, body }).catch(ignoreGone);
      return 'done';
    },
    onError: ({ namespace, name }, error) => log(`DaemonSet ${namespace}/${name}: ${String(error)}`),
  });
}

/** The pod or its namespace is already gone, or another pod has its name. */
function ignoreGone(error: unknown): void {
  const isGone =
    error instanceof ApiException &&
    ([404, 409].includes(error.code) || String(error.body).includes('NamespaceTerminating'));
  if (!isGone) throw error;
}

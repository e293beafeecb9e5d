import type { V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { CoreV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { type ControllerParts, coreKinds, eventRecorder, keyOf, startController } from '../controller.ts';
import { asksForVirtualNode, virtualNode } from '../fluid/virtual-node.ts';

export type SchedulingDecision =
  | { readonly bindTo: string }
  /** Why the pod is not scheduled yet, in the words of kube-scheduler. */
  | { readonly unschedulable: string }
  /** The pod has a node, has ended, is being deleted or is for another scheduler. */
  | 'ignore';

const isReady = ({ spec, status }: V1Node): boolean =>
  spec?.unschedulable !== true &&
  (status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false);

const isSelected = ({ metadata }: V1Node, { spec }: V1Pod): boolean =>
  Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => metadata?.labels?.[key] === value);

/** A virtual node accepts only pods that ask for one. On a real cluster a taint has this effect. */
function isTolerated(node: V1Node, { metadata }: V1Pod): boolean {
  const isVirtual = node.metadata?.labels?.[virtualNode.label] === virtualNode.value;
  return isVirtual === asksForVirtualNode(metadata?.annotations);
}

/** Why the pod's claims cannot be used yet. */
function claimProblem(pod: V1Pod, claims: ReadonlyMap<string, V1PersistentVolumeClaim>): string | undefined {
  for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
    if (!persistentVolumeClaim) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = claims.get(claimName);
    if (!claim) return `persistentvolumeclaim "${claimName}" not found`;
    if (claim.metadata?.deletionTimestamp !== undefined) return `persistentvolumeclaim "${claimName}" is being deleted`;
    if (claim.status?.phase !== 'Bound') return 'pod has unbound immediate PersistentVolumeClaims';
  }
  return undefined;
}

/** Chooses the first ready node that matches the pod's selector, once its claims are bound. `claims`: those of its namespace, by name. */
export function schedule(
  pod: V1Pod,
  nodes: readonly V1Node[],
  claims: ReadonlyMap<string, V1PersistentVolumeClaim>,
): SchedulingDecision {
  const { spec, status, metadata } = pod;
  const isDecided = spec?.nodeName !== undefined || metadata?.deletionTimestamp !== undefined;
  const isOurs = (spec?.schedulerName ?? 'default-scheduler') === 'default-scheduler';
  if (isDecided || !isOurs || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 'ignore';
  if (nodes.length === 0) return { unschedulable: 'no nodes available to schedule pods' };
  const summary = `0/${nodes.length} nodes are available`;
  const problem = claimProblem(pod, claims);
  if (problem !== undefined) return { unschedulable: `${summary}: ${problem}.` };
  const candidates = nodes.filter((node) => isReady(node) && isSelected(node, pod) && isTolerated(node, pod));
  const [first] = candidates.map((node) => node.metadata?.name ?? '').sort();
  if (first !== undefined) return { bindTo: first };
  const reason = `${nodes.length} node(s) were not ready, unschedulable or didn't match Pod's node selector.`;
  return { unschedulable: `${summary}: ${reason}` };
}

/** Stands in for kube-scheduler: gives each pending pod a node, or a condition with the reason why not, until disposed of. */
export function startScheduler({ kubeConfig, log }: ControllerParts): Promise<AsyncDisposable> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { pods, nodes, claims } = coreKinds(core);
  const record = eventRecorder(core, 'default-scheduler');

  const bind = async (pod: V1Pod, node: string): Promise<void> => {
    const { name, namespace } = keyOf(pod);
    await core.createNamespacedPodBinding({
      name,
      namespace,
      body: { metadata: { name, namespace }, target: { apiVersion: 'v1', kind: 'Node', name: node } },
    });
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    await record({ object: { apiVersion: 'v1', kind: 'Pod', ...pod }, type: 'Normal', reason: 'Scheduled', message });
  };
  const markUnschedulable = async (pod: V1Pod, message: string): Promise<void> => {
    if (pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message === message) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: new Date().toISOString(),
    };
    await core.patchNamespacedPodStatus(
      { ...keyOf(pod), body: { status: { conditions: [condition] } } },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    const object = { apiVersion: 'v1', kind: 'Pod', ...pod };
    await record({ object, type: 'Warning', reason: 'FailedScheduling', message });
  };
  const unassigned = (pods: readonly V1Pod[]) => pods.filter(({ spec }) => spec?.nodeName === undefined).map(keyOf);

  return startController<{ pods: V1Pod; nodes: V1Node; claims: V1PersistentVolumeClaim }>({
    kubeConfig,
    kinds: {
      pods: {
        ...pods,
        keys: (pod) => unassigned([pod]),
      },
      nodes: {
        ...nodes,
        keys: (_node, { pods }) => unassigned(pods.list()),
      },
      claims: {
        ...claims,
        keys: (_claim, { pods }) => unassigned(pods.list()),
      },
    },
    async reconcile({ namespace, name }, { pods, nodes, claims }) {
      const pod = pods.get(name, namespace);
      if (!pod) return 'done';
      const claimsByName = new Map(claims.list(namespace).map((claim) => [claim.metadata?.name ?? '', claim]));
      const decision = schedule(pod, nodes.list(), claimsByName);
      if (decision === 'ignore') return 'done';
      await ('bindTo' in decision ? bind(pod, decision.bindTo) : markUnschedulable(pod, decision.unschedulable));
      return 'done';
    },
    onError({ namespace, name }, error, { pods }) {
      const pod = pods.get(name, namespace);
      if (pod && pod.spec?.nodeName === undefined) log(`pod ${namespace}/${name}: ${String(error)}`);
    },
  });
}

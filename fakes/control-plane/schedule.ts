import type { V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import { asksForVirtualNode, virtualNode } from '../fluid/virtual-node.ts';

/** Where a pod goes, or why it waits, in the scheduler's words. */
export type Placement =
  | { readonly bind: string }
  | { readonly wait: string }
  /** Nothing to decide: it has a node, has ended, or is for another scheduler. */
  | 'leave';

const isReady = ({ spec, status }: V1Node): boolean =>
  spec?.unschedulable !== true &&
  (status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false);

const selected = ({ metadata }: V1Node, { spec }: V1Pod): boolean =>
  Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => metadata?.labels?.[key] === value);

/** A virtual node takes the pods that ask for one, and no others: elsewhere a taint says so. */
function admitted(node: V1Node, { metadata }: V1Pod): boolean {
  const isVirtual = node.metadata?.labels?.[virtualNode.label] === virtualNode.value;
  return isVirtual === asksForVirtualNode(metadata?.annotations);
}

/** The claim of a pod that is not there yet or not bound yet, as the real scheduler says it. */
function missing(pod: V1Pod, claims: ReadonlyMap<string, V1PersistentVolumeClaim>): string | undefined {
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

/** Decides on one pod: the first ready node that its selector allows, once its claims are bound. `claims`: of its namespace, by name. */
export function place(
  pod: V1Pod,
  nodes: readonly V1Node[],
  claims: ReadonlyMap<string, V1PersistentVolumeClaim>,
): Placement {
  const { spec, status, metadata } = pod;
  const settled = spec?.nodeName !== undefined || metadata?.deletionTimestamp !== undefined;
  const mine = (spec?.schedulerName ?? 'default-scheduler') === 'default-scheduler';
  if (settled || !mine || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 'leave';
  if (nodes.length === 0) return { wait: 'no nodes available to schedule pods' };
  const of = `0/${nodes.length} nodes are available`;
  const claim = missing(pod, claims);
  if (claim !== undefined) return { wait: `${of}: ${claim}.` };
  const fitting = nodes.filter((node) => isReady(node) && selected(node, pod) && admitted(node, pod));
  const [first] = fitting.map((node) => node.metadata?.name ?? '').sort();
  return first === undefined
    ? { wait: `${of}: ${nodes.length} node(s) were not ready, unschedulable or didn't match Pod's node selector.` }
    : { bind: first };
}

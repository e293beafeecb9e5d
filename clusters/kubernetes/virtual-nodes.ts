import { CoreV1Api, type KubeConfig, PatchStrategy, setHeaderOptions, type V1Node } from '@kubernetes/client-node';
import { virtualNode } from '../../fakes/fluid/virtual-node.ts';

/** The taint of virtual nodes: only pods that tolerate it are scheduled there. */
const taint = { key: virtualNode.taint, value: 'rekindle', effect: 'NoSchedule' } as const;

const controlPlaneTaint = 'node-role.kubernetes.io/control-plane';

export async function virtualNodeNames(kubeConfig: KubeConfig): Promise<readonly string[]> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNode();
  return items.filter(isVirtual).map(({ metadata }) => metadata?.name ?? '');
}

const isVirtual = ({ metadata }: V1Node): boolean => metadata?.labels?.[virtualNode.label] === virtualNode.value;

/**
 * Only for clusters that we created: taints the virtual nodes, and removes the taint of the control plane, so that all other
 * nodes accept any pod.
 */
export async function taintNodes(kubeConfig: KubeConfig): Promise<void> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { items } = await core.listNode();
  for (const node of items) {
    const name = node.metadata?.name ?? '';
    const before = node.spec?.taints ?? [];
    const others = before.filter(({ key }) => key !== controlPlaneTaint && key !== taint.key);
    const taints = isVirtual(node) ? [...others, taint] : others;
    if (taints.length === before.length && !isVirtual(node)) continue;
    await core.patchNode({ name, body: { spec: { taints } } }, mergePatch);
  }
}

/** Labels an ordinary node as a virtual one. */
export async function labelVirtual(kubeConfig: KubeConfig, name: string): Promise<void> {
  const body = { metadata: { labels: { [virtualNode.label]: virtualNode.value } } };
  await kubeConfig.makeApiClient(CoreV1Api).patchNode({ name, body }, mergePatch);
}

const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

import { CoreV1Api, type KubeConfig, PatchStrategy, setHeaderOptions, type V1Node } from '@kubernetes/client-node';
import { virtualNode } from '../../fakes/fluid/virtual-node.ts';

/** As virtual nodes have it, so that only pods that ask for one come there. */
const taint = { key: virtualNode.taint, value: 'rekindle', effect: 'NoSchedule' } as const;

const controlPlaneTaint = 'node-role.kubernetes.io/control-plane';

/** Names of a cluster's virtual nodes. */
export async function virtualNodesOf(kubeConfig: KubeConfig): Promise<readonly string[]> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNode();
  return items.filter(isVirtual).map(({ metadata }) => metadata?.name ?? '');
}

const isVirtual = ({ metadata }: V1Node): boolean => metadata?.labels?.[virtualNode.label] === virtualNode.value;

/** In a cluster of our own: nodes labelled as virtual take only pods that ask for them, all others take any, the control plane too. */
export async function taintNodes(kubeConfig: KubeConfig): Promise<void> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { items } = await core.listNode();
  for (const node of items) {
    const name = node.metadata?.name ?? '';
    const before = node.spec?.taints ?? [];
    const kept = before.filter(({ key }) => key !== controlPlaneTaint && key !== taint.key);
    const taints = isVirtual(node) ? [...kept, taint] : kept;
    if (taints.length === before.length && !isVirtual(node)) continue;
    await core.patchNode(
      { name, body: { spec: { taints } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }
}

/** Makes an ordinary node a virtual one, by its label. */
export async function labelVirtual(kubeConfig: KubeConfig, name: string): Promise<void> {
  const body = { metadata: { labels: { [virtualNode.label]: virtualNode.value } } };
  await kubeConfig
    .makeApiClient(CoreV1Api)
    .patchNode({ name, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
}

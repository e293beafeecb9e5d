import type { V1Node } from '@kubernetes/client-node';
import type { Api } from './api.ts';
import { CannotDeploy } from './errors.ts';
import { isReady } from './wait-ready.ts';

/** Kubelets that are asked; nodes of a cluster are mostly alike. */
const maximumAsked = 8;

/** Annotations in which a distribution records the arguments of its node process, as a JSON array. */
const argumentAnnotations = ['k3s.io/node-args', 'rke2.io/node-args'];

/**
 * The kubelets' directory as they report it: by the node's arguments that K3s and RKE2 record, or by the kubelet's `/flagz` (Kubernetes 1.33,
 * feature gate `ComponentFlagz`). Undefined if none does. Rejects with `CannotDeploy` if nodes differ.
 */
export async function findKubeletRoot(api: Pick<Api, 'listNodes' | 'kubeletFlags'>): Promise<string | undefined> {
  const nodes = (await api.listNodes()).filter((node) => !isVirtual(node));
  const recorded = nodes.map((node) => [node.metadata?.name ?? '', rootInAnnotations(node)] as const);
  // A kubelet that is away would not answer for half a minute.
  const ready = new Set(nodes.filter(isReady).map(({ metadata }) => metadata?.name));
  const silent = recorded.filter(([name, root]) => root === undefined && ready.has(name)).slice(0, maximumAsked);
  const asked = await Promise.all(
    silent.map(async ([name]) => [name, rootInFlags(await api.kubeletFlags(name))] as const),
  );
  const found = [...recorded, ...asked].flatMap(([name, root]) => (root === undefined ? [] : [{ name, root }]));
  const byRoot = new Map(found.toReversed().map(({ name, root }) => [root, name]));
  if (byRoot.size <= 1) return found[0]?.root;
  const list = [...byRoot].map(([root, name]) => `${root} on ${name}`).join(', ');
  throw new CannotDeploy(
    `the kubelets' directories differ: ${list}`,
    'make one path lead to it on all nodes, by a symbolic link (ln -s /data/kubelet /var/lib/kubelet), and name it with --kubelet-root',
  );
}

/** Nodes behind which is no kubelet that could run a DaemonSet: virtual kubelets and Fargate. */
export function isVirtual({ metadata, spec }: V1Node): boolean {
  const labels = metadata?.labels ?? {};
  return (
    labels.type === 'virtual-kubelet' ||
    labels['eks.amazonaws.com/compute-type'] === 'fargate' ||
    (spec?.taints ?? []).some(({ key }) => key === 'virtual-kubelet.io/provider')
  );
}

function rootInAnnotations({ metadata }: V1Node): string | undefined {
  for (const name of argumentAnnotations) {
    const words = /"?root-dir=([^"\s]+)"/.exec(metadata?.annotations?.[name] ?? '');
    if (words?.[1] !== undefined) return words[1];
  }
  return undefined;
}

/** `root-dir=/var/lib/kubelet`, one flag a line. */
function rootInFlags(text: string | undefined): string | undefined {
  return /^root-dir[=:]\s*"?(\/[^"\s]*)/m.exec(text ?? '')?.[1];
}

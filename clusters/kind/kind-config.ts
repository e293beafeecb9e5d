import { stringify } from 'yaml';
import { virtualNode } from '../../fakes/fluid/virtual-node.ts';

export interface KindConfig {
  /** Ordinary nodes, the control plane among them. */
  readonly nodes: number;
  /** Whether one more is the virtual node. */
  readonly virtual: boolean;
  readonly image: string;
}

/** Of this cluster's throw-away etcd nothing has to be on the disk. */
const hasty = `kind: ClusterConfiguration
etcd:
  local:
    extraArgs: {unsafe-no-fsync: "true"}
`;

/** The control plane is an ordinary node, also where there are others. */
const untainted = `kind: InitConfiguration
nodeRegistration:
  taints: []
`;

/** Configuration for `kind create cluster --config`: nothing in it is of one machine or one image. */
export function kindConfig({ nodes, virtual, image }: KindConfig): string {
  const workers = Array.from({ length: nodes - 1 }, () => ({ role: 'worker', image }));
  return stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: [
      { role: 'control-plane', image },
      ...workers,
      ...(virtual ? [{ role: 'worker', image, labels: { [virtualNode.label]: virtualNode.value } }] : []),
    ],
    kubeadmConfigPatches: [hasty, untainted],
  });
}

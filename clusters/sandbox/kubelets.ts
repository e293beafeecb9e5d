import { createCsiNode, noCsiDriver } from '../../fakes/kubelet/csi.ts';
import { type Kubelet, type KubeletOptions, startKubelet } from '../../fakes/kubelet/kubelet.ts';
import { node as places } from './paths.ts';

/** Starts the kubelets of the node and of the virtual node, where the CSI driver is not. */
export async function startKubelets(
  both: Omit<KubeletOptions, 'nodeName' | 'nodeLabels' | 'rootDir' | 'csi'>,
): Promise<Kubelet> {
  const { name: nodeName, kubeletRoot: rootDir, socket, virtual } = places;
  const csi = createCsiNode(socket, both.clockScale);
  return bothKubelets(
    ...(await Promise.all([
      startKubelet({ ...both, nodeName, rootDir, csi }),
      startKubelet({
        ...both,
        nodeName: virtual.name,
        nodeLabels: virtual.labels,
        rootDir: virtual.kubeletRoot,
        csi: noCsiDriver,
      }),
    ])),
  );
}

/** The kubelets of the node and of the virtual node as one; a pod is on one of them. Only the node itself can be rebooted. */
function bothKubelets(node: Kubelet, virtual: Kubelet): Kubelet {
  return {
    container: (...address) => node.container(...address) ?? virtual.container(...address),
    hold: (...address) => {
      const holds = [node.hold(...address), virtual.hold(...address)];
      return {
        [Symbol.dispose]: () => {
          for (const hold of holds) hold[Symbol.dispose]();
        },
      };
    },
    reboot: (off) => node.reboot(off),
    pods: (namespace) => [...node.pods(namespace), ...virtual.pods(namespace)],
    async [Symbol.asyncDispose]() {
      await Promise.all([node[Symbol.asyncDispose](), virtual[Symbol.asyncDispose]()]);
    },
  };
}

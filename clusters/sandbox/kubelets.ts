import type { Kubelet } from '../../fakes/kubelet/kubelet.ts';

/** The kubelets of the node and of the virtual node as one; a pod is on one of them. Only the node itself can be rebooted. */
export function bothKubelets(node: Kubelet, virtual: Kubelet): Kubelet {
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

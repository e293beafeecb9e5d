import { createCsiNode, noCsiDriver } from '../../fakes/kubelet/csi.ts';
import { type Kubelet, type KubeletOptions, startKubelet } from '../../fakes/kubelet/kubelet.ts';
import type { KubeletEvent } from '../../fakes/kubelet/pod-worker.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { roleOf } from '../node/log-events.ts';
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

/** What an event of the sandbox's kubelets is in the history. `at`: monotonic nanoseconds. */
export function kubeletHistory(event: KubeletEvent, at: number): readonly HistoryEvent[] {
  switch (event.event) {
    case 'started': {
      const { container: name, pid, restartCount } = event;
      const started = { kind: 'process', at, role: roleOf(name), name, change: 'started', pid } as const;
      if (restartCount === 0) return [started];
      return [started, { kind: 'kubelet', at, event: 'restarted', ...addressOf(name), restartCount }];
    }
    case 'exited': {
      const { container: name, pid, exit } = event;
      const { exitCode, signal } = exit;
      const how = { ...(exitCode !== null && { exitCode }), ...(signal && { signal }) };
      return [{ kind: 'process', at, role: roleOf(name), name, change: 'exited', pid, ...how }];
    }
    case 'restart-scheduled': {
      const { container, delayMs, restartCount } = event;
      const delayNs = delayMs * 1e6;
      return [{ kind: 'kubelet', at, event: 'restart-scheduled', ...addressOf(container), delayNs, restartCount }];
    }
    case 'publish':
    case 'unpublish':
      return [{ kind: 'kubelet', at, event: event.event, pod: event.pod, detail: event.detail }];
    case 'pod-started':
    case 'pod-removed':
      return [{ kind: 'kubelet', at, event: event.event, pod: event.pod }];
  }
}

function addressOf(address: string): { readonly pod: string; readonly container: string } {
  const [namespace = '', pod = '', container = ''] = address.split('/');
  return { pod: `${namespace}/${pod}`, container };
}

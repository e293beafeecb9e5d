import { type Kubelet, type KubeletOptions, startKubelet } from '../../fakes/kubelet/kubelet.ts';
import type { KubeletEvent } from '../../fakes/kubelet/pod-worker.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { roleOf } from '../node/log-events.ts';
import type { NodeDifferences } from './conditions/condition.ts';
import { node as places } from './paths.ts';

/** How the path of the kubelet's directory is spelled. */
export interface KubeletDirectories {
  /** Without symbolic links. */
  readonly directory: string;
  readonly kubelet: string;
  readonly agent: string;
}

export function kubeletDirectories({ kubeletRoot, hasKubeletLink = false }: NodeDifferences): KubeletDirectories {
  const kubelet = kubeletRoot ?? places.kubeletRoot;
  return {
    directory: kubeletRoot ?? (hasKubeletLink ? '/data/kubelet' : places.kubeletRoot),
    kubelet,
    agent: hasKubeletLink ? places.kubeletRoot : kubelet,
  };
}

/** Starts the kubelets of the node and of the virtual node, which has no CSI driver and a directory of its own. */
export async function startKubelets(own: Omit<KubeletOptions, 'nodeName' | 'nodeLabels'>): Promise<Kubelet> {
  const { name: nodeName, virtual } = places;
  return combineKubelets(
    ...(await Promise.all([
      startKubelet({ ...own, nodeName }),
      startKubelet({
        ...own,
        nodeName: virtual.name,
        nodeLabels: virtual.labels,
        rootDir: virtual.kubeletRoot,
      }),
    ])),
  );
}

/** Combines the kubelets of the node and of the virtual node. Each pod is on one of them; only the node can be rebooted. */
function combineKubelets(node: Kubelet, virtual: Kubelet): Kubelet {
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
    registered: (...driver) => node.registered(...driver),
    restart: () => node.restart(),
    reboot: (off) => node.reboot(off),
    pods: (namespace) => [...node.pods(namespace), ...virtual.pods(namespace)],
    async [Symbol.asyncDispose]() {
      await Promise.all([node[Symbol.asyncDispose](), virtual[Symbol.asyncDispose]()]);
    },
  };
}

/** Converts an event of the sandbox's kubelets. `at`: monotonic nanoseconds. */
export function kubeletHistory(event: KubeletEvent, at: number): readonly HistoryEvent[] {
  switch (event.event) {
    case 'started': {
      const { container: name, pid, restartCount } = event;
      const started = { kind: 'process', at, role: roleOf(name), name, change: 'started', pid } as const;
      if (restartCount === 0) return [started];
      return [started, { kind: 'kubelet', at, event: 'restarted', ...parseAddress(name), restartCount }];
    }
    case 'exited': {
      const { container: name, pid, exit } = event;
      const { exitCode, signal } = exit;
      const exitFields = { ...(exitCode !== null && { exitCode }), ...(signal && { signal }) };
      return [{ kind: 'process', at, role: roleOf(name), name, change: 'exited', pid, ...exitFields }];
    }
    case 'restart-scheduled': {
      const { container, delayMs, restartCount } = event;
      const delayNs = delayMs * 1e6;
      return [{ kind: 'kubelet', at, event: 'restart-scheduled', ...parseAddress(container), delayNs, restartCount }];
    }
    case 'publish':
    case 'unpublish':
      return [{ kind: 'kubelet', at, event: event.event, pod: event.pod, detail: event.detail }];
    case 'pod-started':
    case 'pod-removed':
      return [{ kind: 'kubelet', at, event: event.event, pod: event.pod }];
  }
}

function parseAddress(address: string): { readonly pod: string; readonly container: string } {
  const [namespace = '', pod = '', container = ''] = address.split('/');
  return { pod: `${namespace}/${pod}`, container };
}

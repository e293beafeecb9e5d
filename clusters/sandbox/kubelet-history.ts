import type { KubeletEvent } from '../../fakes/kubelet/events.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { roleOf } from '../node/daemon-event.ts';

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

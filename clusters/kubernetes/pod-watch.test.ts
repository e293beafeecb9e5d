import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { kubeletEvents } from './pod-watch.ts';

const pod = (state: V1ContainerState, { uid = 'a', restartCount = 0, phase = 'Running' } = {}): V1Pod => ({
  metadata: { namespace: 'rk', name: 'demo', uid },
  status: {
    phase,
    containerStatuses: [{ name: 'fuse', image: '', imageID: '', ready: true, restartCount, state }],
  },
});
const running = { running: {} };
const waiting = (message: string) => ({ waiting: { reason: 'CrashLoopBackOff', message } });

describe('kubeletEvents', () => {
  it('reports the start and the end of a pod', () => {
    expect(kubeletEvents(pod(running, { phase: 'Pending' }), pod(running))).toMatchObject([{ event: 'pod-started' }]);
    expect(kubeletEvents(pod(running), undefined)).toEqual([{ kind: 'kubelet', event: 'pod-removed', pod: 'rk/demo' }]);
  });

  it('reports both if another pod of the same name has come', () => {
    const events = kubeletEvents(pod(running), pod(running, { uid: 'b' }));
    expect(events.map(({ event }) => event)).toEqual(['pod-removed', 'pod-started']);
  });

  it('reports the kubelet’s back-off once for each restart', () => {
    const first = pod(waiting('back-off 10s restarting failed container=fuse pod=demo'), { restartCount: 1 });
    expect(kubeletEvents(pod(running), first)).toMatchObject([
      { event: 'restart-scheduled', container: 'fuse', delayNs: 10e9, restartCount: 1 },
    ]);
    expect(kubeletEvents(first, first)).toEqual([]);
    const later = pod(waiting('back-off 2m40s restarting failed container=fuse pod=demo'), { restartCount: 5 });
    expect(kubeletEvents(first, later)).toMatchObject([{ delayNs: 160e9 }]);
  });
});

import { expect, test } from 'vitest';
import type { KubeletEvent } from '../../fakes/kubelet/pod-worker.ts';
import { kubeletHistory } from './kubelets.ts';

const container = 'default/demo-app/demo';
const fuse = 'default/demo-dataset-jindofs-fuse-x/jindofs-fuse';
const exit = { exitCode: null, signal: 'SIGKILL' } as const;

test.each<[string, KubeletEvent, readonly object[]]>([
  [
    'a first start is no restart',
    { event: 'started', container, pid: 7, restartCount: 0 },
    [{ kind: 'process', role: 'container', name: container, change: 'started', pid: 7 }],
  ],
  [
    'a later one is, too',
    { event: 'started', container: fuse, pid: 8, restartCount: 2 },
    [
      { kind: 'process', role: 'daemon', name: fuse, change: 'started', pid: 8 },
      {
        kind: 'kubelet',
        event: 'restarted',
        pod: 'default/demo-dataset-jindofs-fuse-x',
        container: 'jindofs-fuse',
        restartCount: 2,
      },
    ],
  ],
  [
    'an end says how, and only that',
    { event: 'exited', container: fuse, pid: 8, exit },
    [{ kind: 'process', role: 'daemon', name: fuse, change: 'exited', pid: 8, signal: 'SIGKILL' }],
  ],
  [
    'an end with status 0 has one',
    { event: 'exited', container, pid: 7, exit: { exitCode: 0, signal: null } },
    [{ kind: 'process', role: 'container', name: container, change: 'exited', pid: 7, exitCode: 0 }],
  ],
  [
    'a back-off is in nanoseconds',
    { event: 'restart-scheduled', container, delayMs: 10, restartCount: 1 },
    [
      {
        kind: 'kubelet',
        event: 'restart-scheduled',
        pod: 'default/demo-app',
        container: 'demo',
        delayNs: 10_000_000,
        restartCount: 1,
      },
    ],
  ],
  [
    'a volume that is not published says why',
    { event: 'publish', pod: 'default/demo-app', detail: 'refused' },
    [{ kind: 'kubelet', event: 'publish', pod: 'default/demo-app', detail: 'refused' }],
  ],
  [
    'a pod goes',
    { event: 'pod-removed', pod: 'default/demo-app' },
    [{ kind: 'kubelet', event: 'pod-removed', pod: 'default/demo-app' }],
  ],
])('%s', (_, event, history) => {
  expect(kubeletHistory(event, 5)).toEqual(history.map((each) => ({ ...each, at: 5 })));
});

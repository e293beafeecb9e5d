import { expect, it } from 'vitest';
import { describe, formatDescription } from './describe.ts';
import type { HistoryEvent } from './record.ts';

const mount = { at: 0, id: 7, device: '0:50', mountPoint: '/x', fstype: 'fuse.y', options: 'ro,nosuid' } as const;

it.each<[HistoryEvent, string]>([
  [
    { kind: 'probe', at: 0, startedAt: 0, finishedAt: 1, probe: 'ns/app/main:/data', op: 'read', result: 'ENOTCONN' },
    'pod ns/app/main:/data: read fails: ENOTCONN',
  ],
  [
    { kind: 'hang', at: 3e9, since: 1e9, probe: 'ns/app/main:/data', op: 'list', over: false },
    'pod ns/app/main:/data: list has not returned for 2.00 s',
  ],
  [
    { kind: 'process', at: 0, role: 'daemon', name: 'ns/fuse', change: 'exited', exitCode: 0 },
    'daemon ns/fuse: exited with status 0',
  ],
  [
    { kind: 'process', at: 0, role: 'agent', name: 'csi', change: 'exited', signal: 'SIGKILL' },
    'agent csi: killed by SIGKILL',
  ],
  [{ kind: 'mount', where: 'node', change: 'added', ...mount }, 'node mount added: /x (0:50, ro)'],
  [
    { kind: 'mount', where: 'ns/app/main', change: 'removed', ...mount },
    'pod ns/app/main: mount removed: /x (0:50, ro)',
  ],
  [
    { kind: 'agent', at: 0, event: 'replaced', where: 'node', path: '/x', tookNs: 2e6, line: {} },
    'agent replaced node /x in 2.00 ms',
  ],
  [
    { kind: 'agent', at: 0, event: 'failed', where: 'node', line: { errno: 'EPERM', step: 'attach' } },
    'agent failed node (EPERM at attach)',
  ],
  [
    { kind: 'event', at: 0, type: 'Warning', reason: 'Failed', message: 'it did', object: 'Pod ns/app', count: 1 },
    'event Warning Failed on Pod ns/app: it did',
  ],
  [
    { kind: 'kubelet', at: 0, event: 'restart-scheduled', pod: 'ns/app', delayNs: 10e9 },
    'kubelet ns/app: restarts the container in 10 s',
  ],
  [{ kind: 'fault', at: 0, fault: 'hang', phase: 'healed', target: 'ns/fuse' }, 'fault hang healed: ns/fuse'],
  [{ kind: 'output', at: 0, program: 'loop', stream: 'stdout', text: 'total 0' }, 'output loop: total 0'],
])('describes an event in English: %j', (event, line) => {
  expect(formatDescription(describe(event))).toBe(line);
});

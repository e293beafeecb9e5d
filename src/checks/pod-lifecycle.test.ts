import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { endsInTime, isNotRestarted, keepsItsDaemon, startsAfterDaemon } from './pod-lifecycle.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  broken,
  type CheckRow,
  consumer,
  cutAt,
  daemon,
  done,
  mounted,
  ms,
  nodeTable,
  podTable,
  snapshot,
  targetPath,
  volume,
  where,
} from './testing/sample-history.ts';

const state = { containerId: 'c1', restartCount: 0 };
const restarts = (before?: typeof state, after?: typeof state) => (timeline: Timeline) =>
  isNotRestarted(timeline, { consumer, ...(before && { before }), ...(after && { after }) });
const kubelet = (
  event: 'restarted' | 'restart-scheduled',
  container: string,
  pod = 'default/demo-app',
): HistoryEvent => ({
  kind: 'kubelet',
  at: 500 * ms,
  event,
  pod,
  container,
});
const containerEnd = (at: number): HistoryEvent => ({
  kind: 'process',
  at: at * ms,
  role: 'container',
  name: where,
  change: 'exited',
  signal: 'SIGKILL',
});

suite('the pod is not restarted', restarts(state, state), [
  ['passes if container id and count are the same', broken(), 'pass', 'container c1 and restart count 0'],
  [
    'fails if the kubelet restarted it',
    broken(adding(kubelet('restarted', 'demo'))),
    'fail',
    'demo: restarted the container',
  ],
  ['fails if its process ended', broken(adding(containerEnd(500))), 'fail', 'killed by SIGKILL'],
  [
    'passes if the FUSE pod was restarted',
    broken(adding(kubelet('restarted', 'jindofs-fuse', 'default/demo-dataset-jindofs-fuse-x'))),
    'pass',
    'same as before',
  ],
  [
    'passes if another container of the pod was',
    broken(adding(kubelet('restarted', 'sidecar'))),
    'pass',
    'same as before',
  ],
  ['passes if the pod ends after the judgement', broken(adding(containerEnd(1100)), cutAt(1050)), 'pass', 'same'],
]);

describe('the pod is not restarted, by its status', () => {
  it.each([
    [{ ...state, restartCount: 1 }, 'fail', 'from 0 to 1'],
    [{ ...state, containerId: 'c2' }, 'fail', 'was c1 and is c2'],
    [undefined, 'inconclusive', 'was not recorded'],
  ])('after: %j → %s', (after, verdict, says) => {
    expect(restarts(state, after)(new Timeline(broken()))).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });

  it('fails by the kubelet’s events even if the status was not recorded', () => {
    expect(restarts()(new Timeline(broken(adding(kubelet('restart-scheduled', 'demo')))))).toMatchObject({
      verdict: 'fail',
    });
  });
});

describe('a container starts on a living volume', () => {
  const started = (at: number): HistoryEvent => ({
    kind: 'process',
    at: at * ms,
    role: 'container',
    name: where,
    change: 'started',
  });
  const ready = [done(0, 'new-pod'), daemon(100, 'ready')];
  const shown = snapshot(300, where, 'started', podTable());
  const foreign = { ...mounted(150, 'node'), fstype: 'ext4' } as HistoryEvent;
  const bare = snapshot(300, where, 'started', podTable().slice(0, 1));
  it.each<CheckRow>([
    ['passes after the daemon', [...ready, started(200), shown], 'pass', '100 ms after the daemon was ready'],
    ['fails before it', [...ready, started(50), shown], 'fail', 'before the daemon was ready'],
    ['fails without it', [done(0, 'new-pod'), started(50), shown], 'fail', 'before the daemon was ready'],
    ['fails if it does not start', [...ready, shown], 'fail', 'was not started'],
    ['fails on another filesystem at the target path', [...ready, foreign, started(200), shown], 'fail', 'type ext4'],
    ['fails if nothing is mounted', [...ready, started(200), bare], 'fail', 'is no mount'],
    ['is inconclusive without the table', [...ready, started(200)], 'inconclusive', 'not known'],
  ])('%s', (_, history, verdict, says) => {
    expect(startsAfterDaemon(new Timeline(history), { consumer, volume, fault: 'new-pod' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('a deleted pod is gone in time', () => {
  const removed = (at: number): HistoryEvent => ({
    kind: 'kubelet',
    at: at * ms,
    event: 'pod-removed',
    pod: 'default/demo-app',
  });
  const ending = { consumer, volume, fault: 'drain', graceMs: 50 };
  const empty = nodeTable().slice(0, 2);
  it.each<CheckRow>([
    ['passes within its time', [done(0, 'drain'), removed(5000), snapshot(5100, 'node', 'x', empty)], 'pass', '5.00 s'],
    ['fails if it takes longer', [done(0, 'drain'), removed(5100)], 'fail', '5.05 s are allowed'],
    ['fails if it never goes', [done(0, 'drain')], 'fail', 'was never gone'],
    [
      'fails on a mount that stays',
      [done(0, 'drain'), removed(9), snapshot(10, 'node', 'x', nodeTable())],
      'fail',
      targetPath,
    ],
    ['is inconclusive without the table', [done(0, 'drain'), removed(9)], 'inconclusive', 'not known'],
    ['is inconclusive if nothing was deleted', [removed(9)], 'inconclusive', 'not deleted'],
  ])('%s', (_, history, verdict, says) => {
    expect(endsInTime(new Timeline(history), ending)).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });
});

suite('the daemon stays', keepsItsDaemon, [
  ['passes if the daemon continues', [done(200, 'store-down'), daemon(100, 'ready')], 'pass', 'no daemon ended'],
  ['fails if it ended', broken(), 'fail', 'jindofs-fuse exited 500 µs after the fault'],
  ['fails if another was started', [done(200, 'store-down'), daemon(300, 'ready')], 'fail', 'ready 100 ms after'],
]);

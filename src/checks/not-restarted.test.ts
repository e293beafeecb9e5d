import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { suite } from './check-suite.ts';
import { isNotRestarted } from './pod-lifecycle.ts';
import { adding, broken, consumer, cutAt, ms, where } from './sample-history.ts';

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
  ['passes where container id and count are the same', broken(), 'pass', 'container c1 and restart count 0'],
  [
    'fails where the kubelet restarted it',
    broken(adding(kubelet('restarted', 'demo'))),
    'fail',
    'demo: restarted the container',
  ],
  ['fails where its process ended', broken(adding(containerEnd(500))), 'fail', 'killed by SIGKILL'],
  [
    'passes where the FUSE pod was restarted',
    broken(adding(kubelet('restarted', 'jindofs-fuse', 'default/demo-dataset-jindofs-fuse-x'))),
    'pass',
    'same as before',
  ],
  [
    'passes where another container of the pod was',
    broken(adding(kubelet('restarted', 'sidecar'))),
    'pass',
    'same as before',
  ],
  ['passes where the pod ends after the judgement', broken(adding(containerEnd(1100)), cutAt(1050)), 'pass', 'same'],
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

  it('is a fail by the kubelet’s events even where was not recorded at the status', () => {
    expect(restarts()(new Timeline(broken(adding(kubelet('restart-scheduled', 'demo')))))).toMatchObject({
      verdict: 'fail',
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  agent,
  beats,
  broken,
  type CheckRow,
  consumer,
  cutAt,
  daemon,
  done,
  down,
  failing,
  hang,
  kubernetesEvent,
  left,
  mounted,
  podTable,
  snapshot,
  targetPath,
  volume,
  where,
  without,
} from './testing/sample-history.ts';
import {
  claimsNothing,
  doesNothingWhileDown,
  explainsRefusal,
  isLeftAlone,
  isNotRecovered,
  staysBroken,
} from './untouched.ts';

const notRecovered = (scope: 'pod' | 'everything') => (timeline: Timeline) =>
  isNotRecovered(timeline, {
    consumer,
    volume,
    scope,
    watchMs: 6_000,
    kernel: '6.12.0',
    claims: [scope === 'pod' ? 'A2' : 'E1'],
  });
const elsewhere = 'default/other-app/main';
const unmounted = (at: number, place: string) => ({ ...mounted(at, place), change: 'removed' }) as HistoryEvent;
const mountedAt = (at: number, mountPoint: string) => ({ ...mounted(at, where), mountPoint }) as HistoryEvent;

suite('the pod is not recovered, others are', notRecovered('pod'), [
  [
    'passes if errors last to the end',
    left(),
    'pass',
    '1259 operations failed, the last 6.29 s after the crash, 6.11 s after the daemon’s return',
  ],
  [
    'passes if the kernel answers a stat from its cache',
    left(adding(...beats({ from: 3_000, to: 3_001 }).map((event) => ({ ...event, op: 'stat' }) as HistoryEvent))),
    'pass',
    'operations failed',
  ],
  [
    'passes if another pod is recovered',
    left(
      adding(agent(400, 'recovered', elsewhere), kubernetesEvent(400, 'Pod default/other-app'), mounted(400, 'node')),
    ),
    'pass',
    'operations failed',
  ],
  [
    'passes on an event on the dataset that names no pod',
    left(adding(kubernetesEvent(400, 'Dataset default/demo-dataset'))),
    'pass',
    'operations failed',
  ],
  [
    'fails on an event on the dataset that names the pod',
    left(adding(kubernetesEvent(400, 'Dataset default/demo-dataset', 'pod default/demo-app reads again'))),
    'fail',
    'FuseRecoverSucceed on Dataset',
  ],
  [
    'passes on an event about a pod whose name begins alike',
    left(adding(kubernetesEvent(400, 'Pod default/demo-app-2'))),
    'pass',
    'operations failed',
  ],
  [
    'fails on a replacement in the pod',
    left(adding(agent(400, 'replaced', where))),
    'fail',
    'reported "replaced" for default/demo-app/demo',
  ],
  [
    'fails on an event on the pod',
    left(adding(kubernetesEvent(400, 'Pod default/demo-app'))),
    'fail',
    '200 ms after the crash',
  ],
  ['fails on a mount in the pod', left(adding(mounted(400, where))), 'fail', 'was mounted'],
  ['fails if the dead mount is removed', left(adding(unmounted(400, where))), 'fail', 'was unmounted'],
  ['fails on an empty directory', left(failing(4_000, 4_001, 'EEMPTY')), 'fail', 'got EEMPTY 3.80 s after the crash'],
  ['fails on the directory of the node', left(failing(4_000, 4_001, 'ENOENT')), 'fail', 'got ENOENT'],
  ['fails on a writable mount', left(failing(4_000, 4_001, 'EIO')), 'fail', 'got EIO'],
  ['fails if an operation never comes back', left(adding(hang(4_000, 6_400, false))), 'fail', 'never came back'],
  [
    'fails if another mount stands in its place, though no event shows it',
    left(
      adding(
        snapshot(
          3_000,
          where,
          'watched',
          podTable().map((line) => line.replace('41 40 0:60', '43 40 0:60')),
        ),
      ),
    ),
    'fail',
    'had mount 41 of fuse.jindofs-fuse 0:60/ at /data and has mount 43 of',
  ],
  [
    'is inconclusive without a mount table from the end',
    left(without((event) => event.kind === 'snapshot' && event.label === 'watched')),
    'inconclusive',
    'was not recorded at the end',
  ],
  [
    'fails if the pod reads again',
    broken(without((event) => ['agent', 'event', 'mount'].includes(event.kind))),
    'fail',
    'the pod read again 201 ms',
  ],
  [
    'is inconclusive if it was not watched long enough',
    left(cutAt(3000)),
    'inconclusive',
    'watched for 2.61 s after the daemon’s return, 6.00 s are needed',
  ],
  ['is inconclusive if the daemon did not come back', down(), 'inconclusive', 'nothing to recover with'],
  ['is inconclusive if the pod saw no error', left(failing(205, 6_500, 'ok')), 'inconclusive', 'the pod saw no error'],
  [
    'is inconclusive if the mounts were not watched',
    left(without((event) => event.kind === 'snapshot')),
    'inconclusive',
    'mount table',
  ],
]);

suite('no pod is recovered', notRecovered('everything'), [
  ['passes if errors last to the end', left(), 'pass', 'operations failed'],
  [
    'fails if another pod is recovered',
    left(adding(agent(400, 'recovered', elsewhere))),
    'fail',
    'for default/other-app/main',
  ],
  [
    'fails on an event on the dataset',
    left(adding(kubernetesEvent(400, 'Dataset default/demo-dataset'))),
    'fail',
    'FuseRecoverSucceed',
  ],
  ['fails on a mount at the target path', left(adding(mounted(400, 'node'))), 'fail', '(node) was mounted'],
]);

suite(
  'nothing happens while the daemon is down',
  (timeline) => doesNothingWhileDown(timeline, { consumer, volume, kernel: '6.12.0' }),
  [
    ['passes if everything waits for the daemon', broken(), 'pass', 'in 190 ms without a daemon 37 operations failed'],
    [
      'passes if a stat is answered from the kernel’s cache, and another fault comes meanwhile',
      broken(failing(220, 225, 'ok'), adding(done(216, 'agent-kill'))),
      'pass',
      'in 190 ms without a daemon 36 operations failed',
    ],
    [
      'passes if another fault comes at once, and an operation is slow to fail then',
      broken(adding(done(216, 'agent-kill'), hang(240, 345, false), hang(240, 350, true))),
      'pass',
      'in 190 ms without a daemon 37 operations failed',
    ],
    ['passes if the daemon never comes back', down(), 'pass', 'no mount changed'],
    [
      'fails on a mount in the pod',
      broken(adding(mounted(300, where))),
      'fail',
      '/data (default/demo-app/demo) was mounted 100 ms after the crash, 90.0 ms before',
    ],
    [
      'fails on a mount at the target path',
      broken(adding(mounted(300, 'node'))),
      'fail',
      `${targetPath} (node) was mounted`,
    ],
    ['fails on a replacement', down(adding(agent(300, 'replaced', where))), 'fail', 'the agent reported "replaced"'],
    [
      'fails on a claim by the agent',
      down(adding(agent(3000, 'recovered', 'node'))),
      'fail',
      'the agent reported "recovered" for node',
    ],
    [
      'fails on an event',
      broken(adding(kubernetesEvent(300, 'Dataset default/demo-dataset'))),
      'fail',
      'event FuseRecoverSucceed on Dataset default/demo-dataset',
    ],
    [
      'fails on a mount of something else',
      broken(adding({ ...mounted(300, where), fstype: 'tmpfs' } as HistoryEvent)),
      'fail',
      '/data (default/demo-app/demo) was mounted with a file system of type tmpfs',
    ],
    ['fails if the dead mount is removed', broken(adding(unmounted(300, where))), 'fail', 'was unmounted 100 ms'],
    [
      'passes on a mount elsewhere in the pod',
      broken(adding(mountedAt(300, '/data/cache'))),
      'pass',
      'no mount changed',
    ],
    ['fails on an empty directory', broken(failing(300, 301, 'EEMPTY')), 'fail', 'got EEMPTY 101 ms after the crash'],
    ['fails if an operation never comes back', down(adding(hang(300, 380, false))), 'fail', 'never came back'],
    [
      'is inconclusive if the daemon’s return is not known',
      broken(without((event) => event.kind === 'process' && event.change === 'ready')),
      'inconclusive',
      'does not show when',
    ],
    [
      'is inconclusive if the mounts were not watched',
      broken(without((event) => event.kind === 'mount' || event.kind === 'snapshot')),
      'inconclusive',
      'mount table',
    ],
    [
      'is inconclusive if it was down for an instant',
      broken(adding(daemon(220, 'ready'))),
      'inconclusive',
      'too short to tell',
    ],
    ['is inconclusive if the history is cut at once', broken(cutAt(230)), 'inconclusive', 'too short to tell'],
  ],
);

const hung = [done(200, 'hang'), ...beats({ from: 0, to: 200 }), snapshot(100, where, 'before', podTable())];
const goesOn = [done(3000, 'hang', 'healed'), ...beats({ from: 3005, to: 3100 })];

describe('a mount that is not dead is left alone', () => {
  it.each<CheckRow>([
    ['passes if nothing happens', [...hung, ...goesOn], 'pass', '2.80 s no mount changed'],
    ['ignores events after the fault was healed', [...hung, ...goesOn, mounted(3001, where)], 'pass', 'in 2.80 s'],
    ['fails on a mount in the pod', [...hung, mounted(900, where), ...goesOn], 'fail', '/data (default/demo-app/demo)'],
    ['fails on a mount at the target path', [...hung, mounted(900, 'node'), ...goesOn], 'fail', '(node)'],
    ['fails if the mount is removed', [...hung, unmounted(900, where), ...goesOn], 'fail', 'was unmounted'],
    ['is inconclusive if it was too short', [...hung, done(900, 'hang', 'healed')], 'inconclusive', 'only 700 ms'],
    ['fails on a report of the agent', [...hung, agent(900, 'replaced', 'node'), ...goesOn], 'fail', '"replaced"'],
    [
      'fails on an event',
      [...hung, kubernetesEvent(900, 'Pod default/demo-app'), ...goesOn],
      'fail',
      'FuseRecoverSucceed',
    ],
    ['is inconclusive without the fault', hung.slice(1), 'inconclusive', 'was not injected'],
    ['is inconclusive without a mount table', [done(200, 'hang'), ...goesOn], 'inconclusive', 'mount table'],
  ])('%s', (_, history, verdict, says) => {
    expect(isLeftAlone(new Timeline(history), { consumer, volume, fault: 'hang', watchMs: 1_000 })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

const sentence = `volume ${volume} is not read-only (ReadWriteMany): give its Dataset the access mode ReadOnlyMany only`;
const refusedOn = (object: string, message = sentence) =>
  ({ ...kubernetesEvent(500, object, message), reason: 'FuseRecoverReadWrite' }) as HistoryEvent;

describe('a refusal explains itself', () => {
  it.each<CheckRow>([
    ['passes on an event on the pod', [refusedOn('Pod default/demo-app')], 'pass', 'on Pod default/demo-app'],
    ['passes on an event on the Dataset', [refusedOn('Dataset default/demo-dataset')], 'pass', 'on Dataset'],
    ['fails on an event on another pod', [refusedOn('Pod default/other')], 'fail', 'is an event on Pod default/other'],
    ['fails on an event in another namespace', [refusedOn('Pod other/demo-app')], 'fail', 'Pod other/demo-app'],
    ['fails on an event without content', [refusedOn('Pod default/demo-app', 'x')], 'fail', 'explains nothing: "x"'],
    [
      'fails on a sentence that names neither volume nor path',
      [refusedOn('Pod default/demo-app', 'it was not done because it cannot be done at all')],
      'fail',
      'explains nothing',
    ],
    ['fails without an event', [], 'fail', 'no event has the reason ReadWrite'],
  ])('%s', (_, history, verdict, says) => {
    const expected = { consumer, volume, reason: 'ReadWrite', dataset: 'demo-dataset', claims: ['L2'] };
    expect(explainsRefusal(new Timeline(history), expected)).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

suite('nothing claims what cannot be read', (timeline) => claimsNothing(timeline, consumer, 6_000), [
  ['passes if nothing claims it', left(), 'pass', 'in 6.11 s nothing claimed a recovery'],
  ['passes if the mount is replaced', left(adding(mounted(400, where))), 'pass', 'nothing claimed a recovery'],
  [
    'fails on a report of the agent',
    left(adding(agent(400, 'recovered', where))),
    'fail',
    'came 200 ms after the crash',
  ],
  ['fails on an event', left(adding(kubernetesEvent(5_000, 'Pod default/demo-app'))), 'fail', 'FuseRecoverSucceed'],
  ['is inconclusive if the pod reads again', broken(), 'inconclusive', 'the pod read again'],
  ['is inconclusive if it was not watched long enough', left(cutAt(3_000)), 'inconclusive', 'watched for 2.61 s only'],
  ['is inconclusive if the daemon did not come back', down(), 'inconclusive', 'did not come back'],
]);

suite('the pod stays broken', (timeline) => staysBroken(timeline, { consumer, watchMs: 6_000, kernel: '6.12.0' }), [
  ['passes if errors last to the end', left(), 'pass', '1259 operations failed in 6.29 s'],
  [
    'passes whether or not the FUSE process comes back',
    left(without((event) => event.kind === 'process')),
    'pass',
    '1259 operations failed',
  ],
  ['fails if the pod reads again', left(failing(3_000, 3_010, 'ok')), 'fail', 'the pod read again 2.80 s after'],
  ['fails if an empty directory shows', left(failing(3_000, 3_010, 'ENOENT')), 'fail', 'got ENOENT'],
  ['fails if an operation never returns', left(adding(hang(300, 6_400, false))), 'fail', 'never came back'],
  ['is inconclusive if it was watched too briefly', left(cutAt(4_000)), 'inconclusive', '6.00 s are needed'],
]);

import type { HistoryEvent } from '../timeline/record.ts';
import { suite } from './check-suite.ts';
import {
  adding,
  agent,
  broken,
  consumer,
  cutAt,
  daemon,
  done,
  down,
  failing,
  kubernetesEvent,
  mounted,
  targetPath,
  volume,
  where,
  without,
} from './sample-history.ts';
import { doesNothingWhileDown } from './untouched.ts';

suite('nothing happens while the daemon is down', (timeline) => doesNothingWhileDown(timeline, { consumer, volume }), [
  ['passes where all waits for the daemon', broken(), 'pass', 'in 190 ms without a daemon 37 operations failed'],
  [
    'passes where a stat is answered from the kernel’s cache, and another fault comes meanwhile',
    broken(failing(220, 225, 'ok'), adding(done(216, 'agent-kill'))),
    'pass',
    'in 190 ms without a daemon 36 operations failed',
  ],
  ['passes where the daemon never comes back', down(), 'pass', 'nothing was mounted'],
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
    'passes on a mount of something else',
    broken(adding({ ...mounted(300, where), fstype: 'tmpfs' } as HistoryEvent)),
    'pass',
    'nothing was mounted',
  ],
  [
    'is inconclusive where the daemon’s return is not known',
    broken(without((event) => event.kind === 'process' && event.change === 'ready')),
    'inconclusive',
    'does not show when',
  ],
  [
    'is inconclusive where nobody watched the mounts',
    broken(without((event) => event.kind === 'mount' || event.kind === 'snapshot')),
    'inconclusive',
    'mount table',
  ],
  [
    'is inconclusive where it was down for an instant',
    broken(adding(daemon(220, 'ready'))),
    'inconclusive',
    'too short to tell',
  ],
  ['is inconclusive where the history is cut at once', broken(cutAt(230)), 'inconclusive', 'too short to tell'],
]);

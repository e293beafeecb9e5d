import type { Timeline } from '../timeline/timeline.ts';
import { suite } from './check-suite.ts';
import {
  adding,
  agent,
  broken,
  consumer,
  cutAt,
  down,
  failing,
  kubernetesEvent,
  left,
  mounted,
  volume,
  where,
  without,
} from './sample-history.ts';
import { isNotRecovered } from './untouched.ts';

const notRecovered = (scope: 'pod' | 'everything') => (timeline: Timeline) =>
  isNotRecovered(timeline, { consumer, volume, scope, watchMs: 6_000, claims: [scope === 'pod' ? 'A2' : 'E1'] });
const elsewhere = 'default/other-app/main';

suite('the pod is not recovered, others are', notRecovered('pod'), [
  [
    'passes where errors last to the end',
    left(),
    'pass',
    '1259 operations failed, the last 6.29 s after the crash, 6.11 s after the daemon’s return',
  ],
  [
    'passes where another pod is recovered',
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
  [
    'fails where the pod reads again',
    broken(without((event) => ['agent', 'event', 'mount'].includes(event.kind))),
    'fail',
    'the pod read again 201 ms',
  ],
  [
    'is inconclusive where it was not watched long enough',
    left(cutAt(3000)),
    'inconclusive',
    'watched for 2.61 s after the daemon’s return, 6.00 s are needed',
  ],
  ['is inconclusive where the daemon did not come back', down(), 'inconclusive', 'nothing to recover with'],
  [
    'is inconclusive where the pod saw no error',
    left(failing(205, 6_500, 'ok')),
    'inconclusive',
    'the pod saw no error',
  ],
  [
    'is inconclusive where nobody watched the mounts',
    left(without((event) => event.kind === 'snapshot')),
    'inconclusive',
    'mount table',
  ],
]);

suite('nobody is recovered', notRecovered('everything'), [
  ['passes where errors last to the end', left(), 'pass', 'operations failed'],
  [
    'fails where another pod is recovered',
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

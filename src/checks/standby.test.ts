import type { HistoryEvent } from '../timeline/record.ts';
import { attachesLivingOnly, failsOver, mountsOnce } from './standby.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  type Break,
  beats,
  broken,
  consumer,
  cutAt,
  fault,
  hang,
  mounted,
  ms,
  nodeTable,
  podTable,
  snapshot,
  targetPath,
  volume,
  where,
  without,
} from './testing/sample-history.ts';

const pod = (role: '' | '-standby-0') => `default/demo-dataset-jindofs-fuse${role}-x2k4q/jindofs-fuse`;
const process = (at: number, role: '' | '-standby-0', change: 'exited' | 'ready'): HistoryEvent => ({
  kind: 'process',
  at: at * ms,
  role: 'daemon',
  name: pod(role),
  change,
});
const source = (at: number, device: string, standby = ''): HistoryEvent => ({
  ...(mounted(at, 'node') as Extract<HistoryEvent, { kind: 'mount' }>),
  device,
  mountPoint: `/runtime-mnt/jindo/default/demo-dataset${standby}/jindofs-fuse`,
});
const attached = (at: number, device: string, place = where): HistoryEvent => ({
  ...(mounted(at, place) as Extract<HistoryEvent, { kind: 'mount' }>),
  device,
});
const tables = (at: number, after = { node: nodeTable(), pod: podTable() }): readonly HistoryEvent[] => [
  snapshot(at, 'node', 'after', after.node),
  snapshot(at, where, 'after', after.pod),
];

/** The active daemon is killed at 200 ms and comes back at 360; the standby is attached at 203. */
const failedOver = (): HistoryEvent[] => [
  snapshot(100, 'node', 'before', nodeTable()),
  snapshot(100, where, 'before', podTable()),
  source(1, '0:60'),
  source(2, '0:61', '/standby-0'),
  ...beats({ from: 0, to: 200 }),
  fault(200),
  process(200.5, '', 'exited'),
  ...beats({ from: 200, to: 205, result: 'ECONNABORTED', call: 'read' }),
  attached(203, '0:61'),
  attached(204, '0:61', 'node'),
  ...beats({ from: 205, to: 1000 }),
  source(359, '0:60'),
  process(360, '', 'ready'),
  ...tables(900),
];
const after = (...breaks: readonly Break[]) => {
  let history: readonly HistoryEvent[] = failedOver();
  for (const apply of breaks) history = apply([...history]);
  return history;
};
const seesErrorsUntil =
  (until: number): Break =>
  (history) => [
    ...history.filter((event) => event.kind !== 'probe' || event.at < 200 * ms || event.at >= until * ms),
    ...beats({ from: 200, to: until, result: 'ENOTCONN' }),
  ];
const layered = (line: string, lines: readonly string[]) => [...lines, line];

suite('failsOver', (timeline) => failsOver(timeline, { consumer, budgets: { failoverMs: 100 } }), [
  ['passes if the pod read at once', after(), 'pass', 'the pod read 6.00 ms after the crash'],
  ['passes if the probe saw nothing of it', after(seesErrorsUntil(200)), 'pass', 'the pod read'],
  [
    'fails if the pod waited for the daemon',
    after(seesErrorsUntil(365)),
    'fail',
    'the pod read 166 ms after the crash, of 100 ms, and the daemon was back after 160 ms',
  ],
  [
    'fails if the pod waited although the daemon did not come back',
    after(seesErrorsUntil(365), (history) => history.filter(({ kind, at }) => kind !== 'process' || at <= 203 * ms)),
    'fail',
    'the pod read 166 ms after the crash, of 100 ms, and the daemon did not come back',
  ],
  [
    'fails if an error comes after the first good read',
    after((history) =>
      history.map((event) =>
        event.at === 365 * ms && event.kind === 'probe' ? { ...event, result: 'ENOTCONN' } : event,
      ),
    ),
    'fail',
    'the pod read 176 ms after the crash',
  ],
  [
    'fails if the pod never reads again',
    after(seesErrorsUntil(1000)),
    'fail',
    'the last operation failed: stat got ENOTCONN',
  ],
  [
    'fails on the second of two crashes',
    after(
      adding(fault(600), process(600.5, '-standby-0', 'exited'), process(790, '-standby-0', 'ready')),
      (history) => [
        ...history.filter((event) => event.kind !== 'probe' || event.at < 600 * ms || event.at >= 800 * ms),
        ...beats({ from: 600, to: 800, result: 'ENOTCONN' }),
      ],
    ),
    'fail',
    'crash 2 of 2: the pod read 201 ms after the crash',
  ],
  [
    'fails on an operation that never returns',
    after(adding(hang(210, 400, false)), adding(...beats({ from: 3000, to: 3100 }))),
    'fail',
    'never came back',
  ],
  [
    'passes if an operation that began long after a crash was in flight at the next one',
    after(
      adding(fault(600), process(600.5, '-standby-0', 'exited'), hang(480, 580, false), hang(480, 604, true)),
      adding(...beats({ from: 1000, to: 4000 })),
    ),
    'pass',
    'after the 2 crashes',
  ],
  [
    'is inconclusive if the record ends too early',
    after(cutAt(215)),
    'inconclusive',
    'operations are known since the crash',
  ],
]);

suite('mountsOnce', (timeline) => mountsOnce(timeline, { consumer, volume, mountsBeneath: true }), [
  ['passes with one mount at each place', broken(), 'pass', '1 at /data'],
  [
    'fails with two layers in the pod',
    broken(
      adding(
        ...tables(950, {
          node: nodeTable(),
          pod: layered('43 41 0:61 / /data ro - fuse.jindofs-fuse j rw', podTable()),
        }),
      ),
    ),
    'fail',
    `2 FUSE mounts stand at /data (${where})`,
  ],
  [
    'fails with two layers on the node',
    broken(
      adding(
        ...tables(950, {
          pod: podTable(),
          node: layered(`43 31 0:61 / ${targetPath} ro - fuse.jindofs-fuse j rw`, nodeTable()),
        }),
      ),
    ),
    'fail',
    '2 FUSE mounts stand at /var/lib/kubelet',
  ],
  [
    'fails if nothing is mounted any more',
    broken(adding(...tables(950, { node: nodeTable(), pod: podTable().filter((line) => !line.includes(' /data ')) }))),
    'fail',
    'nothing is mounted',
  ],
  ['is inconclusive without a table', broken(without(({ kind }) => kind === 'snapshot')), 'inconclusive', 'not known'],
]);

suite('attachesLivingOnly', (timeline) => attachesLivingOnly(timeline, { consumer, volume }), [
  ['passes if the standby was alive', after(), 'pass', '2 mounts were attached'],
  [
    'passes if the standby died in the middle of the failover',
    after(adding(process(203.5, '-standby-0', 'exited'))),
    'pass',
    'each of a living daemon',
  ],
  [
    'fails if the standby had been dead for long',
    after(adding(process(150, '-standby-0', 'exited'), attached(1300, '0:61'))),
    'fail',
    `/data (${where}) was given device 0:61, whose daemon ${pod('-standby-0')} had died 1.15 s before`,
  ],
  [
    'fails if that was on the node only',
    after(adding(process(150, '-standby-0', 'exited'), attached(1300, '0:61', 'node'))),
    'fail',
    targetPath,
  ],
  [
    'passes if a living daemon has the device of a dead one',
    after(adding(source(1200, '0:60'), attached(1300, '0:60'))),
    'pass',
    '3 mounts',
  ],
  [
    'passes if the restarted daemon has mount and device of the dead one, so that the table did not change',
    after(adding(process(150, '-standby-0', 'exited'), process(1250, '-standby-0', 'ready'), attached(1300, '0:61'))),
    'pass',
    '3 mounts',
  ],
  [
    'fails if the restarted daemon has another device',
    after(
      adding(
        process(150, '-standby-0', 'exited'),
        source(1240, '0:62', '/standby-0'),
        process(1250, '-standby-0', 'ready'),
        attached(1300, '0:61'),
      ),
    ),
    'fail',
    'had died 1.15 s before',
  ],
  [
    'is inconclusive if nothing was attached',
    after(without((event) => event.kind === 'mount' && event.at > 200 * ms)),
    'inconclusive',
    'nothing was attached',
  ],
]);

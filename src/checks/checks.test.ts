import { describe, expect, it } from 'vitest';
import { claims } from '../../reports/claims.ts';
import { recoveries } from '../../reports/phases.ts';
import type { CheckRecord, HistoryEvent } from '../../reports/record.ts';
import { keepsInnerMount } from './inner-mount-survives.ts';
import { keepsMountTableSteady } from './mount-table-steady.ts';
import { seesNoEmptyDirectory } from './never-empty.ts';
import { isNotRecovered } from './no-recovery.ts';
import { readsNoWrongData } from './no-wrong-data.ts';
import { isNotRestarted } from './not-restarted.ts';
import { doesNothingWhileDown } from './nothing-while-down.ts';
import { staysReadOnly } from './read-only.ts';
import { readsAgain } from './reads-again.ts';
import {
  adding,
  agent,
  type Break,
  beats,
  consumer,
  cutAt,
  daemon,
  failing,
  fault,
  hang,
  kubernetesEvent,
  leftBroken,
  mounted,
  ms,
  nodeTable,
  podTable,
  recovered,
  snapshot,
  stillDown,
  targetPath,
  volume,
  where,
  without,
} from './sample-history.ts';
import { seesTheOutage } from './sees-the-outage.ts';
import { claimsOnlyTrueSuccess } from './truthful-success.ts';
import { until } from './watched.ts';
import { recoversWithinBudget } from './within-budget.ts';

type History = readonly HistoryEvent[];
type Row = readonly [situation: string, history: History, verdict: CheckRecord['verdict'], says: string];

const through = (history: History, breaks: readonly Break[]): History => {
  let changed = history;
  for (const apply of breaks) changed = apply([...changed]);
  return changed;
};
const broken = (...breaks: readonly Break[]) => through(recovered(), breaks);
const left = (...breaks: readonly Break[]) => through(leftBroken(), breaks);
const down = (...breaks: readonly Break[]) => through(stillDown(), breaks);

/** Every check: inconclusive on nothing, and a table of what it concludes. */
function suite(name: string, check: (history: History) => CheckRecord, rows: readonly Row[]) {
  describe(name, () => {
    it.each([
      ['an empty history', []],
      ['a history that ends before the fault', cutAt(199)(recovered())],
      ['a probe alone, without a fault', beats({ from: 0, to: 500 })],
    ])('is inconclusive on %s', (_, history) => {
      expect(check(history)).toMatchObject({ verdict: 'inconclusive', says: expect.stringMatching(/^\S.*[^.]$/) });
    });

    it.each(rows)('%s', (_, history, verdict, says) => {
      const record = check(history);
      expect(record).toMatchObject({ verdict, says: expect.stringContaining(says) });
      expect(check(history.toReversed())).toMatchObject({ verdict });
      for (const id of record.claims) expect(Object.keys(claims)).toContain(id);
    });
  });
}

suite('the pod sees the outage', (history) => seesTheOutage(history, consumer), [
  ['passes on ENOTCONN and ECONNABORTED', broken(), 'pass', '38 operations got ENOTCONN, 1 ECONNABORTED'],
  ['fails on a file that is gone', broken(failing(300, 305, 'ENOENT')), 'fail', 'got ENOENT 101 ms after the crash'],
  ['fails on an empty directory', broken(failing(310, 315, 'EEMPTY')), 'fail', 'list (open) got EEMPTY'],
  ['fails on other bytes after the recovery', broken(failing(700, 705, 'EBADSUM')), 'fail', 'EBADSUM'],
  [
    'fails where the pod saw nothing',
    broken(failing(205, 400, 'ok')),
    'fail',
    'saw no error after crash 1 of 1 (sigkill)',
  ],
  ['fails on an error before the crash', broken(failing(100, 105, 'ENOTCONN')), 'fail', 'before the crash'],
  ['fails on a call that never comes back', broken(adding(hang(300, 400, false))), 'fail', 'never came back'],
  [
    'passes on a call that comes back late',
    broken(adding(hang(300, 400, false), hang(300, 450, true))),
    'pass',
    'one crash',
  ],
  [
    'is inconclusive where the probe stopped at the crash',
    broken(cutAt(204)),
    'inconclusive',
    'did nothing after crash 1',
  ],
  [
    'is inconclusive on the second crash where the history is cut before it shows',
    broken(adding(fault(1000), daemon(1000.5, 'exited'))),
    'inconclusive',
    'after crash 2',
  ],
]);

suite('the pod reads again', (history) => readsAgain(history, consumer), [
  [
    'passes with ten good operations and more',
    broken(),
    'pass',
    'first good read came 201 ms after the crash, and all 120',
  ],
  ['fails where errors last', left(), 'fail', 'the last operation failed: stat (open) got ENOTCONN'],
  ['fails where it breaks again', broken(failing(900, 1000, 'EIO')), 'fail', 'got EIO'],
  [
    'fails on a call that never comes back',
    broken(adding(hang(800, 950, false))),
    'fail',
    'began 600 ms after the crash',
  ],
  ['is inconclusive with nine good operations', broken(cutAt(440)), 'inconclusive', 'only 9 of 10'],
  ['passes with ten', broken(cutAt(445)), 'pass', 'all 10 operations'],
  [
    'is inconclusive where the pod saw no error',
    broken(failing(205, 400, 'ok')),
    'inconclusive',
    'nothing to recover from',
  ],
  ['is inconclusive where only slots were charged', broken(charged), 'inconclusive', 'only 1 of 10'],
  [
    'judges the last of two crashes',
    broken(adding(fault(1000), daemon(1000.5, 'exited'), ...beats({ from: 1005, to: 1100, result: 'ENOTCONN' }))),
    'fail',
    '96.0 ms after the crash',
  ],
]);

/** All operations after 405 ms take the result of the one before them, which blocked. */
function charged(history: HistoryEvent[]): History {
  const end = 1001 * ms;
  return history.map((event) =>
    event.kind === 'probe' && event.at > 400 * ms ? { ...event, startedAt: end, finishedAt: end } : event,
  );
}

suite('the pod never reads wrong data', (history) => readsNoWrongData(history, consumer), [
  ['passes where no checksum differs', broken(), 'pass', 'no read returned other bytes in'],
  [
    'fails on one wrong read in the outage',
    broken(failing(300, 305, 'EBADSUM')),
    'fail',
    '1 operation got EBADSUM; first, read (open) got EBADSUM 101 ms after',
  ],
  ['fails on one wrong read before it', broken(failing(50, 55, 'EBADSUM')), 'fail', '149 ms before the crash'],
  ['is inconclusive where the probe stopped at the crash', broken(cutAt(204)), 'inconclusive', 'no read after crash 1'],
]);

suite('the pod never sees an empty directory', (history) => seesNoEmptyDirectory(history, consumer), [
  ['passes where every listing held the files', broken(), 'pass', 'no listing lacked a file'],
  ['fails on one empty listing', broken(failing(310, 315, 'EEMPTY')), 'fail', '1 operation got EEMPTY'],
  ['fails on a file that does not exist', broken(failing(300, 305, 'ENOENT')), 'fail', 'ENOENT'],
  [
    'is inconclusive without a listing after the crash',
    broken(without((event) => event.kind === 'probe' && event.op === 'list' && event.at > 200 * ms)),
    'inconclusive',
    'no list after crash 1',
  ],
]);

const state = { containerId: 'c1', restartCount: 0 };
const restarts = (before?: typeof state, after?: typeof state) => (history: History) =>
  isNotRestarted(history, { consumer, ...(before && { before }), ...(after && { after }) });
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
    'kubelet says restarted of demo',
  ],
  ['fails where its process ended', broken(adding(containerEnd(500))), 'fail', 'process ended (SIGKILL)'],
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
  [
    'passes where the pod ends after the judgement',
    until(broken(adding(containerEnd(1100))), 1050 * ms),
    'pass',
    'same',
  ],
]);

describe('the pod is not restarted, by its status', () => {
  it.each([
    [{ ...state, restartCount: 1 }, 'fail', 'from 0 to 1'],
    [{ ...state, containerId: 'c2' }, 'fail', 'was c1 and is c2'],
    [undefined, 'inconclusive', 'nobody looked'],
  ])('after: %j → %s', (after, verdict, says) => {
    expect(restarts(state, after)(broken())).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });

  it('is a fail by the kubelet’s events even where nobody looked at the status', () => {
    expect(restarts()(broken(adding(kubelet('restart-scheduled', 'demo'))))).toMatchObject({ verdict: 'fail' });
  });
});

suite('nothing happens while the daemon is down', (history) => doesNothingWhileDown(history, { consumer, volume }), [
  ['passes where all waits for the daemon', broken(), 'pass', 'in 190 ms without a daemon 37 operations failed'],
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
  ['fails on a replacement', down(adding(agent(300, 'replaced', where))), 'fail', 'the agent said "replaced"'],
  [
    'fails on a claim by the agent',
    down(adding(agent(3000, 'recovered', 'node'))),
    'fail',
    'the agent said "recovered" of node',
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
    'does not say when',
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

const notRecovered = (scope: 'pod' | 'everything') => (history: History) =>
  isNotRecovered(history, { consumer, volume, scope, watchMs: 6_000, claims: [scope === 'pod' ? 'A2' : 'E1'] });
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
    'said "replaced" of default/demo-app/demo',
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
    'of default/other-app/main',
  ],
  [
    'fails on an event on the dataset',
    left(adding(kubernetesEvent(400, 'Dataset default/demo-dataset'))),
    'fail',
    'FuseRecoverSucceed',
  ],
  ['fails on a mount at the target path', left(adding(mounted(400, 'node'))), 'fail', '(node) was mounted'],
]);

suite('whoever claims a recovery tells the truth', (history) => claimsOnlyTrueSuccess(history, consumer), [
  ['passes where good reads follow each claim', broken(), 'pass', 'all 3 claims were followed by good reads'],
  ['fails where an error follows', broken(failing(400, 410, 'ENOTCONN')), 'fail', 'later read got ENOTCONN'],
  [
    'fails where the agent had replaced nothing',
    broken(without((event) => event.kind === 'agent' && event.event === 'replaced' && event.where === where)),
    'fail',
    'had not replaced',
  ],
  [
    'passes on the word of an agent that never tells of a mount, where good reads follow',
    broken(without((event) => event.kind === 'agent' && event.event === 'replaced')),
    'pass',
    'all 3 claims were followed by good reads',
  ],
  [
    'passes on events alone, where good reads follow',
    broken(without((event) => event.kind === 'agent')),
    'pass',
    'all 2 claims were followed by good reads',
  ],
  [
    'fails on an event while errors last',
    left(adding(kubernetesEvent(400, 'Dataset default/demo-dataset'))),
    'fail',
    '200 ms after the crash: later',
  ],
  [
    'fails on a claim before any crash',
    broken(adding(kubernetesEvent(50, 'Pod default/demo-app'))),
    'fail',
    'before anything had crashed',
  ],
  ['fails where a call never comes back afterwards', broken(adding(hang(500, 900, false))), 'fail', 'never came back'],
  [
    'passes on a claim about another pod',
    broken(adding(kubernetesEvent(300, 'Pod default/other-app'))),
    'pass',
    'all 3 claims',
  ],
  [
    'is inconclusive where nothing is claimed',
    broken(without((event) => event.kind === 'event' || event.kind === 'agent')),
    'inconclusive',
    'nothing claimed',
  ],
  [
    'is inconclusive where the history ends with the claim',
    broken(cutAt(420)),
    'inconclusive',
    'only 5 of 10 operations',
  ],
]);

suite('the volume is read-only', (history) => staysReadOnly(history, { consumer, volume }), [
  ['passes where every mount has ro', broken(), 'pass', 'all 6 mounts that were seen had ro, 4 of them after'],
  [
    'fails on a writable mount in the pod',
    broken(adding(mounted(394, where, 'rw,nosuid'))),
    'fail',
    '1 of 7 mounts were writable: /data (default/demo-app/demo) with rw,nosuid',
  ],
  ['fails on a writable target path', broken(adding(mounted(394, 'node', 'rw,rootcontext=ro'))), 'fail', '(node)'],
  [
    'fails on a writable line of the table at the end',
    broken(adding(snapshot(950, where, 'after', podTable('rw')))),
    'fail',
    'with rw',
  ],
  [
    'is inconclusive where the pod’s mounts are not known',
    broken(without((event) => 'where' in event && event.where === where)),
    'inconclusive',
    'seen on the pod',
  ],
  [
    'is inconclusive where nothing was mounted after the crash',
    left(adding(snapshot(100, 'node', 'before', nodeTable()))),
    'inconclusive',
    'after the crash',
  ],
]);

const steadyWith = (layersKept: number) => (history: History) =>
  keepsMountTableSteady(history, { consumers: [consumer], before: 'before', after: 'after', layersKept });
const steady = steadyWith(0);
const onePlus = [...podTable(), '43 41 0:60 / /data ro - fuse.jindofs-fuse jindofs rw'];

suite('where layers have to be kept, the mount table does not grow', steadyWith(1), [
  [
    'passes on one line more in the pod',
    broken(adding(snapshot(950, where, 'after', onePlus))),
    'pass',
    '1 more allowed: without MOVE_MOUNT_BENEATH',
  ],
  [
    'fails on two lines more',
    broken(adding(snapshot(950, where, 'after', [...onePlus, ...onePlus.slice(-1)]))),
    'fail',
    `${where}: 3 lines before, 5 after`,
  ],
]);

suite('the mount table does not grow', steady, [
  [
    'passes where node and pod have as many lines',
    broken(),
    'pass',
    `node: 3 lines before, 3 after; ${where}: 3 lines before, 3 after`,
  ],
  [
    'fails on one line more in the pod',
    broken(adding(snapshot(950, where, 'after', onePlus))),
    'fail',
    `${where}: 3 lines before, 4 after`,
  ],
  [
    'fails on one line more on the node',
    broken(adding(snapshot(950, 'node', 'after', [...nodeTable(), 'x']))),
    'fail',
    'node: 3 lines before, 4 after',
  ],
  ['is inconclusive without the table after', broken(cutAt(899)), 'inconclusive', 'no mount table "after"'],
  [
    'is inconclusive where a table could not be read',
    broken(adding(snapshot(950, where, 'after', []))),
    'inconclusive',
    'no mount table "after"',
  ],
]);

const budgeted =
  (outageMs: number, readyToReadableMs: number) =>
  (history: History): CheckRecord => {
    const inScenario = history.map((event) => ({ ...event, scenario: 's' }));
    return recoversWithinBudget(recoveries(inScenario, 's'), { consumer, budgets: { outageMs, readyToReadableMs } });
  };

suite('the recovery is within the budget', budgeted(210, 20), [
  [
    'passes within both',
    broken(),
    'pass',
    'first outage 201 ms of 210 ms, daemon ready to readable 11.0 ms of 20.0 ms',
  ],
  [
    'fails where the pod does not read again',
    left(),
    'fail',
    'did not read again; first error in the pod +6.00 ms, daemon back +184 ms',
  ],
  [
    'fails where the outage is too long, with its phases',
    broken(failing(400, 450, 'ENOTCONN')),
    'fail',
    'the outage took 251 ms, the budget is 210 ms; noticed by the agent +1.00 ms',
  ],
  [
    'is inconclusive where the daemon’s return is not known',
    broken(without((event) => event.kind === 'process' && event.change === 'ready')),
    'inconclusive',
    'does not say when',
  ],
  [
    'is inconclusive where the pod felt nothing',
    broken(failing(205, 400, 'ok')),
    'inconclusive',
    'no crash that the pod felt',
  ],
]);

describe('the recovery is within the budget for the agent alone', () => {
  it('passes where a later outage is longer, because Kubernetes waited', () => {
    const second = [fault(1000), daemon(1001, 'exited'), daemon(1900, 'ready')];
    const operations = [...beats({ from: 1005, to: 1910, result: 'ENOTCONN' }), ...beats({ from: 1910, to: 2000 })];
    expect(budgeted(210, 20)(broken(adding(...second, ...operations)))).toMatchObject({
      verdict: 'pass',
      says: expect.stringContaining('the worst of 2 crashes'),
    });
  });

  it('fails where the pod reads too long after the daemon is ready', () => {
    expect(budgeted(500, 10)(broken())).toMatchObject({
      verdict: 'fail',
      says: expect.stringContaining('read 11.0 ms after the daemon was ready, the budget is 10.0 ms; '),
    });
  });
});

const inner = (history: History) =>
  keepsInnerMount(history, { consumer, innerPath: '/data/cache', before: 'before', after: 'after' });
const table = (line: string) => [...podTable().slice(0, 2), line];

suite('the volume mounted below survives', inner, [
  ['passes where it is the same and seen', broken(), 'pass', '/data/cache is still /cache of device 0:55'],
  [
    'passes with a probe that reads it at the end',
    broken(
      adding(
        ...beats({ from: 205, to: 400, result: 'ENOTCONN', path: '/data/cache' }),
        ...beats({ from: 400, to: 500, path: '/data/cache' }),
      ),
    ),
    'pass',
    '20 operations on it were good',
  ],
  [
    'fails where it is gone',
    broken(adding(snapshot(950, where, 'after', podTable().slice(0, 2)))),
    'fail',
    'nothing is mounted at /data/cache any more',
  ],
  [
    'fails where another filesystem is there',
    broken(adding(snapshot(950, where, 'after', table('42 41 0:56 / /data/cache rw - tmpfs tmpfs rw')))),
    'fail',
    'and is / of 0:56',
  ],
  [
    'fails where the new mount hides it',
    broken(
      adding(snapshot(950, where, 'after', [...podTable(), '43 41 0:61 / /data ro - fuse.jindofs-fuse jindofs rw'])),
    ),
    'fail',
    'hidden by the mount at /data',
  ],
  [
    'fails where a probe of it fails at the end',
    broken(adding(...beats({ from: 205, to: 400, result: 'ENOTCONN', path: '/data/cache' }))),
    'fail',
    'the last operation on default/demo-app/demo:/data/cache failed',
  ],
  ['is inconclusive without the table after', broken(cutAt(899)), 'inconclusive', 'before and after'],
  [
    'is inconclusive where nothing was mounted below',
    broken(
      without((event) => event.kind === 'snapshot' && event.label === 'before'),
      adding(snapshot(100, where, 'before', podTable().slice(0, 2))),
    ),
    'inconclusive',
    'nothing was mounted at /data/cache before',
  ],
]);

import { describe, expect, it } from 'vitest';
import type { HistoryEvent, Verdict } from '../../reports/record.ts';
import { endsInTime } from './ends-in-time.ts';
import { failsCleanly } from './held-file.ts';
import { keepsInnerMount } from './inner-mount-survives.ts';
import { isLeftAlone } from './left-alone.ts';
import { keepsMountTableSteady } from './mount-table-steady.ts';
import { showsOneFilesystem } from './same-filesystem.ts';
import {
  agent,
  beats,
  consumer,
  daemon,
  failing,
  fault,
  hang,
  kubernetesEvent,
  mounted,
  ms,
  nodeTable,
  podTable,
  recovered,
  snapshot,
  targetPath,
  volume,
  where,
} from './sample-history.ts';
import { seesNoError } from './sees-no-error.ts';
import { startsAfterDaemon } from './starts-after-daemon.ts';
import { claimsOnlyTrueSuccess } from './truthful-success.ts';

type Row = readonly [title: string, history: readonly HistoryEvent[], verdict: Verdict, says: string];

const done = (at: number, name: string, phase: 'injected' | 'healed' = 'injected'): HistoryEvent => ({
  kind: 'fault',
  at: at * ms,
  fault: name,
  phase,
  target: 'x',
});

const hung = [done(200, 'hang'), ...beats({ from: 0, to: 200 }), snapshot(100, where, 'before', podTable())];
const goesOn = [done(3000, 'hang', 'healed'), ...beats({ from: 3005, to: 3100 })];

describe('a mount that is not dead is left alone', () => {
  it.each<Row>([
    ['passes where nothing happens', [...hung, ...goesOn], 'pass', '2.80 s nothing was mounted'],
    [
      'takes no notice of what comes after it was healed',
      [...hung, ...goesOn, mounted(3001, where)],
      'pass',
      'in 2.80 s',
    ],
    ['fails on a mount in the pod', [...hung, mounted(900, where), ...goesOn], 'fail', '/data (default/demo-app/demo)'],
    ['fails on a mount at the target path', [...hung, mounted(900, 'node'), ...goesOn], 'fail', '(node)'],
    ['fails on what the agent says', [...hung, agent(900, 'replaced', 'node'), ...goesOn], 'fail', '"replaced"'],
    [
      'fails on an event',
      [...hung, kubernetesEvent(900, 'Pod default/demo-app'), ...goesOn],
      'fail',
      'FuseRecoverSucceed',
    ],
    ['is inconclusive without the fault', hung.slice(1), 'inconclusive', 'was not done'],
    ['is inconclusive without a mount table', [done(200, 'hang'), ...goesOn], 'inconclusive', 'mount table'],
  ])('%s', (_, history, verdict, says) => {
    const sorted = history.toSorted((a, b) => a.at - b.at);
    expect(isLeftAlone(sorted, { consumer, volume, fault: 'hang' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('the pod waits, and sees no error', () => {
  it.each<Row>([
    ['passes where all comes back', [...hung, ...goesOn], 'pass', 'operations were good after the fault'],
    ['fails on an error', failing(3050, 3055, 'ENOTCONN')([...hung, ...goesOn]), 'fail', 'ENOTCONN'],
    ['fails on what never comes back', [...hung, hang(210, 400, false), ...goesOn], 'fail', 'never came back'],
    ['passes where one is still under way', [...hung, ...goesOn, hang(3050, 3150, false)], 'pass', 'good'],
    ['is inconclusive where nothing was done', hung, 'inconclusive', 'did nothing'],
  ])('%s', (_, history, verdict, says) => {
    expect(seesNoError(history, consumer)).toMatchObject({ verdict, says: expect.stringContaining(says) });
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
  it.each<Row>([
    ['passes within its time', [done(0, 'drain'), removed(5000), snapshot(5100, 'node', 'x', empty)], 'pass', '5.00 s'],
    ['fails where it takes longer', [done(0, 'drain'), removed(5100)], 'fail', '5.05 s are allowed'],
    ['fails where it never goes', [done(0, 'drain')], 'fail', 'was not gone'],
    [
      'fails on a mount that stays',
      [done(0, 'drain'), removed(9), snapshot(10, 'node', 'x', nodeTable())],
      'fail',
      targetPath,
    ],
    ['is inconclusive without the table', [done(0, 'drain'), removed(9)], 'inconclusive', 'not known'],
    ['is inconclusive where nothing was deleted', [removed(9)], 'inconclusive', 'not deleted'],
  ])('%s', (_, history, verdict, says) => {
    expect(endsInTime(history, ending)).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });
});

describe('a file that was held open', () => {
  const read = (at: number, text: string): HistoryEvent => ({
    kind: 'output',
    at: at * ms,
    program: 'holder',
    stream: 'stdout',
    text,
  });
  const before = [read(100, 'ok'), fault(200), read(250, 'ENOTCONN'), agent(300, 'recovered', where)];
  const after = [read(350, 'ENOTCONN'), read(400, 'ENOTCONN'), read(450, 'ENOTCONN')];
  it.each<Row>([
    [
      'passes where it fails for ever',
      [...before, ...after],
      'pass',
      'all 4 reads since the crash failed with ENOTCONN, 3',
    ],
    [
      'passes where nobody but the pod tells of the recovery',
      [
        ...before.slice(0, 3),
        ...beats({ from: 200, to: 300, result: 'ENOTCONN' }),
        ...beats({ from: 300, to: 340 }),
        ...after,
      ],
      'pass',
      'all 4 reads since the crash failed with ENOTCONN, 3',
    ],
    ['fails on other bytes', [...before, ...after, read(500, 'wrong')], 'fail', 'other bytes'],
    ['fails on another errno', [...before, ...after, read(500, 'EIO')], 'fail', 'EIO'],
    ['fails where it reads again', [...before, ...after, read(500, 'ok')], 'fail', 'good again'],
    ['is inconclusive where it is not tried again', before, 'inconclusive', 'only 0 of 3'],
    ['is inconclusive where it was not read before', before.slice(1), 'inconclusive', 'not read before'],
    [
      'is inconclusive where it went on',
      [read(100, 'ok'), fault(200), read(250, 'ok')],
      'inconclusive',
      'no read failed',
    ],
  ])('%s', (_, history, verdict, says) => {
    expect(failsCleanly(history, { program: 'holder' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
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
  it.each<Row>([
    ['passes after the daemon', [...ready, started(200), shown], 'pass', '100 ms after the daemon was ready'],
    ['fails before it', [...ready, started(50), shown], 'fail', 'before the daemon was ready'],
    ['fails without it', [done(0, 'new-pod'), started(50), shown], 'fail', 'before the daemon was ready'],
    ['fails where it does not start', [...ready, shown], 'fail', 'was not started'],
    ['fails on another filesystem at the target path', [...ready, foreign, started(200), shown], 'fail', 'type ext4'],
    ['fails where nothing is mounted', [...ready, started(200), bare], 'fail', 'is no mount'],
    ['is inconclusive without the table', [...ready, started(200)], 'inconclusive', 'not known'],
  ])('%s', (_, history, verdict, says) => {
    expect(startsAfterDaemon(history, { consumer, volume, fault: 'new-pod' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('the target path and the container', () => {
  const other = nodeTable().map((line) => line.replace('0:60', '0:61'));
  it.each<Row>([
    [
      'show the same filesystem',
      [snapshot(1, 'node', 'x', nodeTable()), snapshot(1, where, 'x', podTable())],
      'pass',
      '0:60',
    ],
    ['do not', [snapshot(1, 'node', 'x', other), snapshot(1, where, 'x', podTable())], 'fail', '0:61'],
    ['are not known', [snapshot(1, 'node', 'x', nodeTable())], 'inconclusive', 'not known'],
    [
      'have lost the container’s',
      [snapshot(1, 'node', 'x', nodeTable()), snapshot(1, where, 'x', ['40 1 0:50 / / rw - overlay o rw'])],
      'fail',
      'nothing is mounted at /data',
    ],
  ])('%s', (_, history, verdict, says) => {
    expect(showsOneFilesystem(history, { consumer, volume })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('claims between one crash and the next', () => {
  /** A second crash at a moment before the first event has arrived. */
  const again = (at: number, ...more: readonly HistoryEvent[]) =>
    [
      ...recovered().filter((event) => event.at < 400 * ms),
      fault(at),
      daemon(at + 0.1, 'exited'),
      ...beats({ from: 420, to: 600, result: 'ENOTCONN', call: 'open' }),
      daemon(590, 'ready'),
      agent(596, 'replaced', where),
      agent(598, 'recovered', where),
      ...beats({ from: 600, to: 900 }),
      ...more,
    ].toSorted((a, b) => a.at - b.at);

  it('are as true as what the agent said, where the event arrives after the next crash', () => {
    const history = again(410, ...beats({ from: 400, to: 410 }), kubernetesEvent(420, 'Pod default/demo-app'));
    expect(claimsOnlyTrueSuccess(history, consumer).verdict).toBe('pass');
  });

  it('are not excused twice', () => {
    const event = kubernetesEvent(420, 'Pod default/demo-app');
    const history = again(410, ...beats({ from: 400, to: 410 }), event, { ...event, at: 430 * ms });
    expect(claimsOnlyTrueSuccess(history, consumer)).toMatchObject({ verdict: 'fail' });
  });

  it('may arrive after the next crash where nothing but events tells, once, and only where the pod had read', () => {
    const withoutLog = (history: readonly HistoryEvent[]) =>
      history.filter(({ kind, at }) => kind !== 'agent' && (kind !== 'event' || at > 410 * ms));
    const late = kubernetesEvent(420, 'Pod default/demo-app');
    const verdictOf = (...more: readonly HistoryEvent[]) =>
      claimsOnlyTrueSuccess(withoutLog(again(410, ...more)), consumer).verdict;
    const read = beats({ from: 400, to: 410 });
    const own = kubernetesEvent(605, 'Pod default/demo-app');
    expect(verdictOf(...read, late, own)).toBe('pass');
    expect(verdictOf(...read, late, { ...late, at: 430 * ms }, own)).toBe('fail');
    expect(verdictOf(late, own)).toBe('fail');
  });

  it('may be said just after a crash by an agent that read just before it, and by its event', () => {
    const said = [agent(411, 'recovered', where), kubernetesEvent(412, 'Pod default/demo-app')];
    const history = again(410, ...beats({ from: 400, to: 410 }), ...said).filter(
      (event) => event.kind !== 'agent' || event.event !== 'recovered' || event.at > 400 * ms,
    );
    expect(claimsOnlyTrueSuccess(history, consumer).verdict).toBe('pass');
  });

  it('do not count where the pod could neither confirm nor refute them', () => {
    expect(claimsOnlyTrueSuccess(again(399.5), consumer)).toMatchObject({
      verdict: 'pass',
      says: expect.stringContaining('1 more were overtaken'),
    });
  });
});

describe('more than one consumer and layer', () => {
  it('counts what was there before the first fault, of pods that came one after the other', () => {
    const more = [...nodeTable(), '50 20 0:62 / /x rw - tmpfs tmpfs rw'];
    const history = [
      snapshot(1, 'node', 'before', nodeTable()),
      snapshot(2, 'node', 'before', more),
      snapshot(2, where, 'before', podTable()),
      fault(3),
      snapshot(4, 'node', 'after', more),
      snapshot(4, where, 'after', podTable()),
    ];
    const steady = { consumers: [consumer], before: 'before', after: 'after', layersKept: 0 };
    expect(keepsMountTableSteady(history, steady).verdict).toBe('pass');
  });

  it('sees the volume inside the mount on top, where the dead one below keeps its own', () => {
    const stacked = [
      ...podTable(),
      '43 41 0:61 / /data ro - fuse.jindofs-fuse jindofs rw',
      '44 43 0:55 /cache /data/cache rw,relatime - tmpfs tmpfs rw',
    ];
    const history = [...recovered(), snapshot(950, where, 'after', stacked)];
    const inner = { consumer, innerPath: '/data/cache', before: 'before', after: 'after' };
    expect(keepsInnerMount(history, inner).verdict).toBe('pass');
    const hidden = [...recovered(), snapshot(950, where, 'after', stacked.slice(0, -1))];
    expect(keepsInnerMount(hidden, inner).verdict).toBe('fail');
  });
});

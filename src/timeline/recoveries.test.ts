import { describe, expect, it } from 'vitest';
import type { HistoryEvent, ProbeOperation } from './record.ts';
import { findRecoveries, type RecoveryOptions } from './recoveries.ts';
import { Timeline } from './timeline.ts';

const ms = 1e6;
const scenario = 's';
const where = 'default/demo-app/demo';
const probe = `${where}:/data`;

const recoveries = (events: readonly HistoryEvent[], of: string, options?: RecoveryOptions) =>
  findRecoveries(Timeline.ofScenario(events, of), options);

interface Beat {
  readonly from: number;
  readonly until: number;
  readonly result?: string;
  readonly probe?: string;
}

/** Operations every 5 ms, each taking 1 ms: list, stat, read in turn. */
function beats({ from, until, result = 'ok', probe: name = probe }: Beat): HistoryEvent[] {
  const operations: ProbeOperation[] = ['list', 'stat', 'read'];
  const events: HistoryEvent[] = [];
  for (let at = from; at < until; at += 5) {
    const op = operations[(at / 5) % 3] ?? 'read';
    const finishedAt = (at + 1) * ms;
    events.push({ kind: 'probe', scenario, at: at * ms, probe: name, op, startedAt: at * ms, finishedAt, result });
  }
  return events;
}

const fault = (at: number, name = 'sigkill', target = 'fuse'): HistoryEvent => ({
  kind: 'fault',
  scenario,
  at: at * ms,
  fault: name,
  phase: 'injected',
  target,
});
const daemon = (at: number, change: 'exited' | 'ready', name = 'fuse'): HistoryEvent => ({
  kind: 'process',
  scenario,
  at: at * ms,
  role: 'daemon',
  name,
  change,
});
const agent = (
  at: number,
  event: 'noticed' | 'replaced' | 'recovered' | 'failed',
  place?: string,
  volume = 'default-demo',
): HistoryEvent => ({
  kind: 'agent',
  scenario,
  at: at * ms,
  event,
  volume,
  line: {},
  ...(place ? { where: place } : {}),
});
const event = (at: number, pod: string): HistoryEvent => ({
  kind: 'event',
  scenario,
  at: at * ms,
  type: 'Normal',
  reason: 'FuseRecoverSucceed',
  message: 'reads again',
  object: `Pod ${pod}`,
  count: 1,
});
const mounted = (at: number, place: string, mountPoint: string): HistoryEvent => ({
  kind: 'mount',
  scenario,
  at: at * ms,
  where: place,
  change: 'added',
  id: at,
  device: '0:90',
  mountPoint,
  fstype: 'fuse.jindofs-fuse',
  options: 'ro',
});
const hang = (at: number, since: number, over: boolean): HistoryEvent => ({
  kind: 'hang',
  scenario,
  at: at * ms,
  probe,
  op: 'stat',
  since: since * ms,
  over,
});

/** A crash at 100 ms and its recovery: daemon back at 150, node at 151, pod at 152, read done at 161. */
const crash = [fault(100), daemon(101, 'exited')];
const comeback = [
  agent(103, 'noticed'),
  daemon(150, 'ready'),
  agent(151, 'replaced', 'node'),
  agent(152, 'replaced', where),
  agent(153, 'recovered', where),
];
const outage = [
  ...beats({ from: 0, until: 100 }),
  ...beats({ from: 100, until: 155, result: 'ENOTCONN' }),
  ...beats({ from: 155, until: 300 }),
];

const inMs = (value: number | undefined) => (value === undefined ? undefined : value / ms);

describe('recoveries', () => {
  it('times the mounts by the mount tables, because the agent writes its lines when all are made', () => {
    const target = '/var/lib/kubelet/pods/1/volumes/kubernetes.io~csi/default-demo/mount';
    const reports = comeback.map((event) =>
      event.kind === 'agent' && event.where === 'node' ? { ...event, path: target } : event,
    );
    const seen = [
      mounted(150.5, where, '/data'),
      mounted(150.7, where, '/data/cache'),
      mounted(157, 'node', target),
      mounted(140, 'node', '/runtime-mnt/jindo/default/demo/jindofs-fuse'),
    ];
    const [recovery] = recoveries([...crash, ...reports, ...outage, ...seen], scenario);
    expect(recovery).toMatchObject({ replacedInPod: 150.5 * ms, replacedOnNode: 157 * ms, verified: 153 * ms });
  });

  it('names each moment from the crash to the first good read', () => {
    const [recovery, ...others] = recoveries([...crash, ...comeback, ...outage], scenario);
    expect(others).toEqual([]);
    expect(recovery).toEqual({
      fault: 'sigkill',
      volume: 'default-demo',
      pod: 'default/demo-app',
      probe,
      crash: 100 * ms,
      firstError: 101 * ms,
      noticed: 103 * ms,
      daemonReady: 150 * ms,
      replacedOnNode: 151 * ms,
      replacedInPod: 152 * ms,
      verified: 153 * ms,
      readable: 161 * ms,
      errors: { ENOTCONN: 11 },
      longestStallNs: ms,
      probeRate: 200,
    });
  });

  it('takes the word of an agent without a log from the Kubernetes events of its pod', () => {
    const silent = outage.concat([daemon(150, 'ready'), mounted(152, where, '/data')]);
    const posted = [event(90, 'default/demo-app'), event(156, 'default/other-app'), event(158, 'default/demo-app')];
    const [recovery] = recoveries([...crash, ...silent, ...posted], scenario);
    expect(recovery).toMatchObject({ replacedInPod: 152 * ms, verified: 158 * ms });
    const [ours] = recoveries([...crash, ...comeback, ...outage, event(152.5, 'default/demo-app')], scenario);
    expect(ours?.verified).toBe(153 * ms);
  });

  it('is over once the pod reads steadily: a later stall is the machine’s', () => {
    const stall = [hang(380, 250, false), hang(400, 250, true)];
    const [recovery] = recoveries([...crash, ...comeback, ...outage, ...stall], scenario);
    expect(inMs(recovery?.readable)).toBe(161);
    const early = [hang(180, 165, false), hang(185, 165, true)];
    const [other] = recoveries([...crash, ...comeback, ...outage, ...early], scenario);
    expect(inMs(other?.readable)).toBe(191);
  });

  it('knows the daemon of the pod that took another’s place', () => {
    const replaced = [
      fault(100),
      daemon(101, 'exited', 'ns/demo-fuse-x2k4q/fuse'),
      daemon(149, 'ready', 'ns/other-fuse-x2k4q/fuse'),
    ];
    const back = daemon(150, 'ready', 'ns/demo-fuse-p9b7c/fuse');
    const reports = comeback.filter(({ kind }) => kind === 'agent');
    const [recovery] = recoveries([...replaced, back, ...reports, ...outage], scenario);
    expect(recovery?.daemonReady).toBe(150 * ms);
  });

  it('does not depend on the order of lines', () => {
    const events = [...crash, ...comeback, ...outage];
    expect(recoveries(events.toReversed(), scenario)).toEqual(recoveries(events, scenario));
  });

  it('wants a read: a good stat or listing is not yet readable', () => {
    const [recovery] = recoveries(
      [...crash, ...outage.filter((event) => event.kind !== 'probe' || event.op !== 'read' || event.at < 150 * ms)],
      scenario,
    );
    expect(recovery?.readable).toBeUndefined();
  });

  it('omits phases that did not happen if nothing recovers', () => {
    const broken = [...beats({ from: 0, until: 100 }), ...beats({ from: 100, until: 300, result: 'ENOTCONN' })];
    const [recovery] = recoveries([...crash, ...broken], scenario);
    expect(recovery).toMatchObject({ volume: 'unknown', errors: { ENOTCONN: 40 } });
    expect(recovery).not.toHaveProperty('readable');
    expect(recovery).not.toHaveProperty('daemonReady');
    expect(recovery).not.toHaveProperty('noticed');
  });

  it('charges each of two crashes with its own errors', () => {
    const events = [
      ...crash,
      ...comeback,
      ...outage,
      fault(300),
      daemon(301, 'exited'),
      ...beats({ from: 300, until: 330, result: 'ECONNABORTED' }),
      daemon(320, 'ready'),
      ...beats({ from: 330, until: 400 }),
    ];
    const [first, second] = recoveries(events, scenario);
    expect(first?.errors).toEqual({ ENOTCONN: 11 });
    expect(second).toMatchObject({ crash: 300 * ms, errors: { ECONNABORTED: 6 }, daemonReady: 320 * ms });
    expect(inMs(second?.readable)).toBe(341);
  });

  it('has no end if the next crash came before the pod could read', () => {
    const events = [...crash, fault(120), daemon(121, 'exited'), ...comeback, ...outage];
    const [first, second] = recoveries(events, scenario);
    expect(first?.readable).toBeUndefined();
    expect(inMs(second?.readable)).toBe(161);
  });

  it('takes the last recovery of a flapping daemon', () => {
    const events = [
      ...crash,
      ...comeback,
      ...outage.filter((event) => event.at < 200 * ms),
      daemon(200, 'exited'),
      ...beats({ from: 200, until: 230, result: 'ENOTCONN' }),
      daemon(225, 'ready'),
      agent(226, 'replaced', 'node'),
      agent(227, 'replaced', where),
      ...beats({ from: 230, until: 300 }),
      agent(260, 'recovered', where),
    ];
    const [recovery, ...others] = recoveries(events, scenario);
    expect(others).toEqual([]);
    expect(recovery).toMatchObject({
      noticed: 103 * ms,
      daemonReady: 225 * ms,
      replacedOnNode: 226 * ms,
      replacedInPod: 227 * ms,
      verified: 260 * ms,
      errors: { ENOTCONN: 17 },
    });
    expect(inMs(recovery?.readable)).toBe(236);
  });

  it('keeps the line that the agent wrote after the pod already read', () => {
    const late = [daemon(150, 'ready'), agent(170, 'replaced', 'node'), agent(171, 'replaced', where)];
    const [recovery] = recoveries([...crash, ...late, ...outage], scenario);
    expect(recovery).toMatchObject({ replacedOnNode: 170 * ms, replacedInPod: 171 * ms, readable: 161 * ms });
  });

  it('counts a hang from the moment it began until it was over', () => {
    const events = [
      ...beats({ from: 0, until: 100 }),
      fault(100, 'sigstop'),
      hang(200, 105, false),
      hang(260, 105, true),
      ...beats({ from: 265, until: 400 }),
    ];
    const [recovery] = recoveries(events, scenario);
    expect(recovery).toMatchObject({ firstError: 105 * ms, errors: {}, longestStallNs: 155 * ms });
    expect(inMs(recovery?.readable)).toBe(266);
  });

  it('counts a hang that never ended, and is not readable beside it', () => {
    const events = [
      ...beats({ from: 0, until: 100 }),
      fault(100, 'sigstop'),
      hang(205, 105, false),
      ...beats({ from: 200, until: 250 }),
    ];
    const [recovery] = recoveries(events, scenario);
    expect(recovery).toMatchObject({ errors: { HANG: 1 }, longestStallNs: (246 - 105) * ms });
    expect(recovery?.readable).toBeUndefined();
  });

  it('charges an operation that was under way when the next crash came to that crash', () => {
    const next = [fault(400), daemon(401, 'exited'), hang(498, 398, false), hang(520, 398, true)];
    const after = [...beats({ from: 165, until: 396 }), ...beats({ from: 525, until: 560 })];
    const [first, second] = recoveries([...crash, ...comeback, ...outage, ...after, ...next], scenario);
    expect(first).toMatchObject({ readable: 161 * ms });
    expect(first?.errors).not.toHaveProperty('HANG');
    expect(second).toMatchObject({ firstError: 400 * ms, longestStallNs: 122 * ms });
  });

  it('is over although an operation that began long afterwards was in flight at the next crash', () => {
    const next = [fault(400), daemon(401, 'exited'), hang(395, 290, false), hang(420, 290, true)];
    const after = [...beats({ from: 165, until: 290 }), ...beats({ from: 425, until: 560 })];
    const [first] = recoveries([...crash, ...comeback, ...outage, ...after, ...next], scenario);
    expect(inMs(first?.readable)).toBe(161);
  });

  it('charges a stall to the operation that was due, not to when it could start', () => {
    const slow: HistoryEvent = {
      kind: 'probe',
      scenario,
      at: 110 * ms,
      probe,
      op: 'read',
      startedAt: 148 * ms,
      finishedAt: 150 * ms,
      result: 'ok',
    };
    const [recovery] = recoveries([...crash, slow, ...beats({ from: 0, until: 100 })], scenario);
    expect(recovery).toMatchObject({ errors: {}, longestStallNs: 40 * ms });
    expect(recovery?.firstError).toBeUndefined();
  });

  it('judges each of two pods by its own probe', () => {
    const other = 'default/other-app/demo';
    const events = [
      ...crash,
      ...comeback,
      agent(180, 'replaced', other),
      ...outage,
      ...beats({ from: 0, until: 100, probe: `${other}:/data` }),
      ...beats({ from: 100, until: 185, result: 'ENOTCONN', probe: `${other}:/data` }),
      ...beats({ from: 185, until: 300, probe: `${other}:/data` }),
    ];
    const found = recoveries(events, scenario);
    expect(found.map((one) => [one.pod, inMs(one.replacedInPod), inMs(one.readable)])).toEqual([
      ['default/demo-app', 152, 161],
      ['default/other-app', 180, 191],
    ]);
  });

  it('leaves out a pod whose volume did not crash', () => {
    const other = 'default/other-app/demo';
    const events = [
      agent(1, 'recovered', where),
      agent(1, 'recovered', other, 'default-other'),
      ...crash,
      ...comeback,
      ...outage,
      ...beats({ from: 0, until: 300, probe: `${other}:/data` }),
    ];
    expect(recoveries(events, scenario).map((one) => one.pod)).toEqual(['default/demo-app']);
  });

  it('assigns faults to the probes that they reach if several daemons crash at once', () => {
    const events = [fault(100, 'sigkill', 'fuse'), fault(101, 'sigkill', 'elsewhere'), ...outage];
    const found = recoveries(events, scenario, { reaches: (one) => one.target === 'fuse' });
    expect(found).toMatchObject([{ crash: 100 * ms, readable: 161 * ms }]);
  });

  it('is not misled by a fault that took no daemon away', () => {
    const events = [...crash, ...comeback, ...outage, fault(200, 'agent-sigkill', 'agent')];
    expect(recoveries(events, scenario)).toHaveLength(1);
  });

  it.each([
    ['for a moment, as on a busy machine', 400, 1],
    ['for long', 1_300, 2],
  ])('takes a fault of the agent as a crash if an operation hangs %s: %d ms', (_, end, crashes) => {
    const hung = [hang(end - 5, 210, false), hang(end, 210, true)];
    const events = [...crash, ...comeback, ...outage, fault(200, 'agent-kill', 'agent'), ...hung];
    expect(recoveries(events, scenario)).toHaveLength(crashes);
  });

  it('does not take another fault during an outage as a crash if an operation is slow to fail then', () => {
    const slow = [fault(120, 'new-pod', 'other'), hang(140, 125, false), hang(145, 125, true)];
    expect(recoveries([...crash, ...comeback, ...outage, ...slow], scenario)).toHaveLength(1);
  });

  it('looks only at its own scenario', () => {
    expect(recoveries([...crash, ...outage], 'another')).toEqual([]);
    expect(recoveries([], scenario)).toEqual([]);
  });
});

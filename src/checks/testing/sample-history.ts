import type { Consumer } from '../../timeline/consumer.ts';
import type { HistoryEvent, ProbeEvent, ProbeOperation, Verdict } from '../../timeline/record.ts';

/*
 * A history for the tests of the checks: one crash at 200 ms and a correct recovery. Each test breaks one thing.
 */

export const ms = 1e6;
export const consumer: Consumer = { namespace: 'default', pod: 'demo-app', container: 'demo', path: '/data' };
export const where = 'default/demo-app/demo';
export const volume = 'default-demo-dataset';
export const targetPath = `/var/lib/kubelet/pods/u1/volumes/kubernetes.io~csi/${volume}/mount`;

export interface Beat {
  readonly from: number;
  readonly to: number;
  readonly result?: string;
  readonly call?: string;
  readonly path?: string;
}

const turn: readonly ProbeOperation[] = ['read', 'read', 'list', 'read', 'stat'];

/** An operation of 1 ms every 5 ms; times in milliseconds. */
export function beats({ from, to, result = 'ok', call, path = '/data' }: Beat): ProbeEvent[] {
  const events: ProbeEvent[] = [];
  for (let at = from; at < to; at += 5) {
    const op = turn[(at / 5) % turn.length] ?? 'read';
    const times = { at: at * ms, startedAt: at * ms, finishedAt: (at + 1) * ms };
    events.push({
      kind: 'probe',
      probe: `${where}:${path}`,
      op,
      ...times,
      result,
      ...(call !== undefined && { call }),
    });
  }
  return events;
}

export const fault = (at: number): HistoryEvent => ({
  kind: 'fault',
  at: at * ms,
  fault: 'sigkill',
  phase: 'injected',
  target: 'jindofs-fuse',
});

export const daemon = (at: number, change: 'exited' | 'ready'): HistoryEvent => ({
  kind: 'process',
  at: at * ms,
  role: 'daemon',
  name: 'jindofs-fuse',
  change,
});

export const agent = (at: number, event: 'noticed' | 'replaced' | 'recovered', place?: string): HistoryEvent => ({
  kind: 'agent',
  at: at * ms,
  event,
  volume,
  ...(place !== undefined && { where: place }),
  line: {},
});

export const mounted = (at: number, place: string, options = 'ro,nosuid,nodev'): HistoryEvent => ({
  kind: 'mount',
  at: at * ms,
  where: place,
  change: 'added',
  id: 90,
  device: '0:61',
  mountPoint: place === 'node' ? targetPath : '/data',
  fstype: 'fuse.jindofs-fuse',
  options,
});

/** A fault that is not a crash. */
export const done = (at: number, name: string, phase: 'injected' | 'healed' = 'injected'): HistoryEvent => ({
  kind: 'fault',
  at: at * ms,
  fault: name,
  phase,
  target: 'x',
});

/** A read that began at one moment and at another was still in flight or over; milliseconds. */
export const hang = (since: number, at: number, over: boolean): HistoryEvent => ({
  kind: 'hang',
  at: at * ms,
  probe: `${where}:/data`,
  op: 'read',
  since: since * ms,
  over,
});

export const kubernetesEvent = (at: number, object: string, message = 'reads again'): HistoryEvent => ({
  kind: 'event',
  at: at * ms,
  type: 'Normal',
  reason: 'FuseRecoverSucceed',
  message,
  object,
  count: 1,
});

export const nodeTable = (options = 'ro,nosuid'): string[] => [
  '20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 20 0:60 / /runtime-mnt/jindo/default/demo-dataset/jindofs-fuse rw,nosuid shared:2 - fuse.jindofs-fuse jindofs rw',
  `31 20 0:60 / ${targetPath} ${options} - fuse.jindofs-fuse jindofs rw`,
];

export const podTable = (options = 'ro,nosuid'): string[] => [
  '40 1 0:50 / / rw,relatime - overlay overlay rw',
  `41 40 0:60 / /data ${options} - fuse.jindofs-fuse jindofs rw`,
  '42 41 0:55 /cache /data/cache rw,relatime - tmpfs tmpfs rw',
];

export const snapshot = (at: number, place: string, label: string, lines: readonly string[]): HistoryEvent => ({
  kind: 'snapshot',
  at: at * ms,
  where: place,
  label,
  lines,
});

/** One crash, recovered. */
export const recovered = (): HistoryEvent[] => [
  snapshot(100, 'node', 'before', nodeTable()),
  snapshot(100, where, 'before', podTable()),
  ...beats({ from: 0, to: 200 }),
  fault(200),
  daemon(200.5, 'exited'),
  ...beats({ from: 205, to: 210, result: 'ECONNABORTED', call: 'read' }),
  ...beats({ from: 210, to: 400, result: 'ENOTCONN', call: 'open' }),
  agent(201, 'noticed'),
  daemon(390, 'ready'),
  mounted(393, 'node'),
  agent(394, 'replaced', 'node'),
  mounted(395, where),
  agent(396, 'replaced', where),
  agent(399, 'recovered', where),
  kubernetesEvent(401, 'Dataset default/demo-dataset'),
  kubernetesEvent(401, 'Pod default/demo-app'),
  ...beats({ from: 400, to: 1000 }),
  snapshot(900, 'node', 'after', nodeTable()),
  snapshot(900, where, 'after', podTable()),
];

/** One crash, the daemon's return, and no recovery for six seconds. */
const leftBroken = (): HistoryEvent[] => [
  snapshot(100, where, 'before', podTable()),
  ...beats({ from: 0, to: 200 }),
  fault(200),
  daemon(200.5, 'exited'),
  daemon(390, 'ready'),
  ...beats({ from: 205, to: 6_500, result: 'ENOTCONN', call: 'open' }),
  snapshot(6_450, where, 'watched', podTable()),
];

/** One crash, and the daemon down to the end. */
const stillDown = (): HistoryEvent[] =>
  leftBroken().filter((event) => event.kind !== 'process' || event.change !== 'ready');

export type Break = (history: HistoryEvent[]) => readonly HistoryEvent[];

/** Cuts a history at a moment, in milliseconds. */
export const cutAt =
  (moment: number): Break =>
  (history) =>
    history.filter(({ at }) => at <= moment * ms);

export const adding =
  (...events: readonly HistoryEvent[]): Break =>
  (history) => [...history, ...events];

export const without =
  (drop: (event: HistoryEvent) => boolean): Break =>
  (history) =>
    history.filter((event) => !drop(event));

/** Changes the result of the probe's operations between two moments. */
export const failing =
  (from: number, to: number, result: string): Break =>
  (history) =>
    history.map((event) =>
      event.kind === 'probe' && event.at >= from * ms && event.at < to * ms ? { ...event, result } : event,
    );

export type SampleHistory = readonly HistoryEvent[];

/** A row in the table of a check's conclusions. */
export type CheckRow = readonly [situation: string, history: SampleHistory, verdict: Verdict, says: string];

const through = (history: SampleHistory, breaks: readonly Break[]): SampleHistory => {
  let changed = history;
  for (const apply of breaks) changed = apply([...changed]);
  return changed;
};
export const broken = (...breaks: readonly Break[]): SampleHistory => through(recovered(), breaks);
export const left = (...breaks: readonly Break[]): SampleHistory => through(leftBroken(), breaks);
export const down = (...breaks: readonly Break[]): SampleHistory => through(stillDown(), breaks);

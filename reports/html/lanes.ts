import type { ProbeColumns, ScenarioDigest } from '../../src/timeline/digest.ts';
import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { HistoryEvent, Recovery } from '../../src/timeline/record.ts';
import type { Mark, Micros, PackedLane, PackedWindow, Span } from '../page/packed.ts';
import type { Axis } from './chart.ts';
import { isShown, markFor, processLane, type ShownEvent } from './event-marks.ts';
import { mountLanes } from './mounts.ts';

/** Converts a time to the page's unit. */
export type ToMicros = (at: number) => Micros;

export function microsOn({ zero }: Axis): ToMicros {
  return (at) => Math.round((at - zero) / 1e3);
}

/** Builds the lanes of a time line. Probe results are drawn above them. */
export function buildLanes({ events }: Pick<ScenarioDigest, 'events'>, axis: Axis): PackedLane[] {
  const place = microsOn(axis);
  const told = events.filter(isShown);
  const lanes = new Map<string, { spans: Span[]; marks: Mark[] }>();
  const lane = (name: string) => {
    const known = lanes.get(name) ?? { spans: [], marks: [] };
    lanes.set(name, known);
    return known;
  };
  for (const { name, spans, marks } of processLanes(told, axis)) {
    lane(name).spans.push(...spans);
    lane(name).marks.push(...marks);
  }
  for (const event of told) {
    if (event.kind === 'fault' || event.kind === 'hang' || event.kind === 'process' || event.kind === 'mount') continue;
    const { who, says, shape, look, short } = markFor(event);
    if (event.kind === 'agent' && event.event === 'passed') {
      if (didSomething(event)) lane('Agent').spans.push(passSpan(event, says, place));
      continue;
    }
    lane(who).marks.push({ at: place(event.at), shape, look, title: says, ...(short ? { label: short } : {}) });
  }
  lane('Kubelet').spans.push(...backOffs(told, axis));
  const drawn = [...lanes]
    .filter(([, { spans, marks }]) => spans.length + marks.length > 0)
    .map(([name, { spans, marks }]): PackedLane => ({ name, spans, marks }));
  const sorted = drawn.sort((a, b) => rank(a) - rank(b));
  const rest = sorted.findIndex((one) => rank(one) > order.indexOf('Kubelet'));
  return sorted.toSpliced(rest < 0 ? sorted.length : rest, 0, ...mountLanes(events, axis));
}

const order = ['FUSE daemon', 'Agent', 'Kubelet', 'Kubernetes events', 'Containers'];

function rank({ name }: PackedLane): number {
  const found = order.findIndex((start) => name.startsWith(start));
  return found < 0 ? order.length : found;
}

type AgentEvent = Extract<HistoryEvent, { kind: 'agent' }>;

/** Whether a pass found or did anything. */
function didSomething({ line }: AgentEvent): boolean {
  return [line.actions, line.skips, line.unhealthy].some((figure) => typeof figure === 'number' && figure > 0);
}

function passSpan({ at, tookNs = 0, line }: AgentEvent, says: string, place: ToMicros): Span {
  const did = (['actions', 'skips', 'unhealthy'] as const).map((name) => `${name} ${line[name] ?? '?'}`).join(', ');
  return { from: place(at - tookNs), to: place(at), weight: 'thick', look: 'calm', title: `${says}: ${did}` };
}

type ProcessEvent = Extract<HistoryEvent, { kind: 'process' }>;

/** Life spans of processes. One whose first event is `ready` or `exited` existed before. */
function processLanes(events: readonly ShownEvent[], axis: Axis): PackedLane[] {
  const place = microsOn(axis);
  const lanes = groupBy(
    events.filter((event) => event.kind === 'process'),
    processLane,
  );
  return [...lanes].map(([name, all]) => {
    const spans: Span[] = [];
    const marks: Mark[] = [];
    [...groupBy(all, (event) => event.name).values()].forEach((own, row) => {
      let since: { readonly change: ProcessEvent['change']; readonly at: number } = {
        change: own[0]?.change === 'started' ? 'exited' : 'ready',
        at: axis.from,
      };
      let wentAt: number | undefined;
      for (const event of [...own, { at: Math.max(axis.to, own.at(-1)?.at ?? 0), change: undefined }]) {
        if (event.at > since.at && !(since.change === 'exited' && wentAt === undefined)) {
          const life = lifeSpan(steady(since.change, own[0]), since.at, event.at);
          spans.push({ ...life, from: place(since.at), to: place(event.at), row: name === 'Containers' ? 0 : row });
        }
        if (event.change === undefined) break;
        const { shape, look, says } = markFor(event);
        const back =
          event.change === 'ready' && wentAt !== undefined ? `back after ${formatNs(event.at - wentAt)}` : undefined;
        const label = back ?? (event.change === 'exited' ? 'exited' : undefined);
        marks.push({ at: place(event.at), shape, look, title: says, ...(label ? { label } : {}) });
        if (event.change === 'exited') wentAt = event.at;
        if (event.change === 'ready') wentAt = undefined;
        since = { change: event.change, at: event.at };
      }
    });
    return { name, spans, marks };
  });
}

/** Containers and programs do not report that they are ready, so they are once they have started. */
function steady(change: ProcessEvent['change'], event: ProcessEvent | undefined): ProcessEvent['change'] {
  const silent = event?.role === 'container' || event?.role === 'program';
  return silent && change === 'started' ? 'ready' : change;
}

function lifeSpan(change: ProcessEvent['change'], from: number, to: number): Pick<Span, 'weight' | 'look' | 'title'> {
  const took = formatNs(to - from);
  if (change === 'ready') return { weight: 'thin', look: 'ok', title: `ready for ${took}` };
  if (change === 'started') return { weight: 'thin', look: 'warn', title: `starting for ${took}` };
  return { weight: 'dashed', look: 'bad', title: `absent for ${took}` };
}

/** The kubelet's back-off, from scheduling a restart to the restart. */
function backOffs(events: readonly ShownEvent[], axis: Axis): Span[] {
  const place = microsOn(axis);
  return events.flatMap((event): Span[] => {
    if (event.kind !== 'kubelet' || event.event !== 'restart-scheduled') return [];
    const restart = events.find(
      (one) => one.kind === 'kubelet' && one.event === 'restarted' && one.pod === event.pod && one.at >= event.at,
    );
    const to = place(restart?.at ?? axis.to);
    return [{ from: place(event.at), to, weight: 'thick', look: 'warn', title: markFor(event).says }];
  });
}

/** Successive probe operations with the same result, from the first one's scheduled time to the last one's end. */
export interface ProbeSpan {
  readonly from: number;
  readonly to: number;
  readonly result: string;
  readonly count: number;
}

/**
 * A probe's results as spans, so that ten thousand operations take no more space than ten.
 * @param limit If there are more spans, they are merged into this number of columns. A column with failures shows the most
 *   frequent one, so that good operations never hide a failure.
 */
export function probeSpans(probe: ProbeColumns, limit = 240): ProbeSpan[] {
  const spans: ProbeSpan[] = [];
  for (let i = 0; i < probe.count; i++) {
    const from = probe.at(i);
    append(spans, { from, to: from + probe.took(i), result: probe.result(i), count: 1 });
  }
  if (spans.length <= limit) return spans;

  const began = probe.at(0);
  const width = (probe.at(probe.count - 1) - began) / limit || 1;
  const merged: ProbeSpan[] = [];
  for (let i = 0; i < probe.count; ) {
    const column = Math.floor((probe.at(i) - began) / width);
    const from = probe.at(i);
    let to = from;
    let all = 0;
    const failures = new Map<string, number>();
    for (; i < probe.count && Math.floor((probe.at(i) - began) / width) === column; i++) {
      const result = probe.result(i);
      if (result !== 'ok') failures.set(result, (failures.get(result) ?? 0) + 1);
      to = Math.max(to, probe.at(i) + probe.took(i));
      all++;
    }
    const [worst] = [...failures].sort((a, b) => b[1] - a[1]);
    append(merged, { from, to, result: worst?.[0] ?? 'ok', count: worst?.[1] ?? all });
  }
  return merged;
}

/** Appends a span, or extends the last one if it has the same result. */
function append(spans: ProbeSpan[], span: ProbeSpan): void {
  const last = spans.at(-1);
  if (last?.result !== span.result) {
    spans.push(span);
    return;
  }
  spans[spans.length - 1] = { ...last, to: Math.max(last.to, span.to), count: last.count + span.count };
}

/** Outages from a crash until all pods could read. Pods that share a crash share a window. */
export function outages(recoveries: readonly Recovery[], axis: Axis): PackedWindow[] {
  return [...groupBy(recoveries, (recovery) => recovery.crash)].flatMap(([crash, all]): PackedWindow[] => {
    const disturbed = all.filter((recovery) => recovery.firstError !== undefined);
    if (disturbed.length === 0) return [];
    const next = recoveries.find((recovery) => recovery.crash > crash)?.crash ?? Number.POSITIVE_INFINITY;
    const healed = disturbed.every((recovery) => recovery.readable !== undefined);
    const to = Math.max(...disturbed.map((recovery) => recovery.readable ?? Math.min(next, axis.to)));
    if (to < axis.from || crash > axis.to) return [];
    const unread = Number.isFinite(next) ? 'overtaken by the next crash' : 'not readable again';
    const took = healed ? `outage of ${formatNs(to - crash)}` : unread;
    return [{ from: crash, to, kind: 'outage', says: `${took}, ${offset(crash, axis)}` }];
  });
}

/** Faults from injection until healed. A momentary fault has no width. */
export function faultWindows(events: readonly HistoryEvent[], axis: Axis): PackedWindow[] {
  const faults = events.filter((event) => event.kind === 'fault');
  return faults.flatMap((fault): PackedWindow[] => {
    if (fault.phase !== 'injected' || fault.at > axis.to) return [];
    const healed = faults.find(
      (one) => one.phase === 'healed' && one.fault === fault.fault && one.target === fault.target && one.at >= fault.at,
    );
    if ((healed?.at ?? fault.at) < axis.from) return [];
    const until = healed ? `, healed after ${formatNs(healed.at - fault.at)}` : '';
    const says = `${fault.fault} in ${fault.target}, ${offset(fault.at, axis)}${until}`;
    return [{ from: fault.at, to: healed?.at ?? fault.at, kind: 'fault', says }];
  });
}

function offset(at: number, { zero }: Axis): string {
  return `at ${formatNs(at - zero)}`;
}

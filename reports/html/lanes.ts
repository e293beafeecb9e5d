import { formatNs } from '../duration.ts';
import type { HistoryEvent, ProbeEvent } from '../record.ts';
import type { Axis } from './axis.ts';
import { isTold, podOf, processLane, type ToldEvent, tell } from './happening.ts';
import { type Look, resultLook, type Shape } from './shapes.ts';
import { spansOf } from './spans.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
  /** `thin`: as it should be. `thick`: look here. `dashed`: nothing there. */
  readonly weight: 'thin' | 'thick' | 'dashed';
  readonly look: Look;
  readonly title: string;
  /** Words under the span. */
  readonly label?: string;
}

export interface Mark {
  readonly at: number;
  readonly shape: Shape;
  readonly look: Look;
  readonly title: string;
  readonly label?: string;
}

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
}

const shownPoints = 120;

/** What happened on an axis, lane by lane: what the pod saw first, then who did what. */
export function lanesOf(events: readonly HistoryEvent[], axis: Axis): Lane[] {
  const told = events.filter(isTold).filter((event) => event.kind !== 'fault' && event.kind !== 'hang');
  const marks = told.filter(
    (event) =>
      event.kind !== 'process' &&
      !(event.kind === 'agent' && event.event === 'passed') &&
      event.at >= axis.from &&
      event.at <= axis.to,
  );
  const processes = told.filter((event) => event.kind === 'process');
  const byLane = Map.groupBy(marks, (event) => tell(event).who);
  const lanes = [...probeLanes(events, axis), ...processLanes(processes, axis)];
  for (const [name, own] of byLane) {
    const at = lanes.findIndex((lane) => lane.name === name);
    const before = lanes[at] ?? { name, spans: [], marks: [] };
    const lane = { ...before, spans: [...before.spans, ...backOffs(own, axis)], marks: condense(own, axis) };
    if (at < 0) lanes.push(lane);
    else lanes[at] = lane;
  }
  const order = ['Probe', 'FUSE daemon', 'Agent', 'Kubelet', 'Mounts on the node', 'Mounts in', 'Kubernetes events'];
  const rank = ({ name }: Lane) => {
    const found = order.findIndex((start) => name.startsWith(start));
    return found < 0 ? order.length : found;
  };
  return lanes.sort((a, b) => rank(a) - rank(b));
}

function probeLanes(events: readonly HistoryEvent[], axis: Axis): Lane[] {
  const operations = Map.groupBy(
    events.filter(
      (event) => event.kind === 'probe' && event.at <= axis.to && event.finishedAt >= axis.from,
    ) as ProbeEvent[],
    (event) => event.probe,
  );
  const hangs = events.filter((event) => event.kind === 'hang');
  const end = events.reduce((last, event) => Math.max(last, event.at), 0);
  for (const hang of hangs) if (!operations.has(hang.probe)) operations.set(hang.probe, []);

  return [...operations].map(([probe, own]) => {
    const single = own.length <= shownPoints;
    const spans = spansOf(own);
    const failing = spans.filter((span) => span.result !== 'ok');
    const edges = failing.length <= 60 ? failing : [];
    const lasting = Map.groupBy(
      hangs.filter((hang) => hang.probe === probe && hang.at >= axis.from),
      (hang) => `${hang.op} ${hang.since}`,
    );
    const hung = [...lasting.values()].map((seen): Span => {
      const last = seen.reduce((a, b) => (b.at > a.at ? b : a));
      const to = last.over ? last.at : Math.max(last.at, axis.to);
      const took = formatNs((last.over ? last.at : end) - last.since);
      return {
        from: last.since,
        to,
        weight: 'thick',
        look: 'odd',
        title: `${last.op} hung for ${took}${last.over ? '' : ' and had not come back'}`,
        label: `hang, ${took}`,
      };
    });
    return {
      name: `Probe in ${podOf(probe)}`,
      spans: [
        ...spans.map((span): Span => {
          const { look } = resultLook(span.result);
          const title = `${span.result} × ${span.count}, ${formatNs(span.to - span.from)}`;
          return span.result === 'ok'
            ? { ...span, weight: 'thin', look, title }
            : { ...span, weight: 'thick', look, title, label: `${span.result} × ${span.count}` };
        }),
        ...hung,
      ],
      marks: single
        ? own.map((operation): Mark => {
            const failed = operation.result !== 'ok';
            const title = failed
              ? `${operation.op}: ${operation.result}${operation.call ? ` from ${operation.call}` : ''}`
              : '';
            return { at: operation.at, ...resultLook(operation.result), title };
          })
        : edges.map((span): Mark => ({ at: span.from, ...resultLook(span.result), title: `first ${span.result}` })),
    };
  });
}

type ProcessEvent = Extract<HistoryEvent, { kind: 'process' }>;

/** Life spans; a process that is first heard of when it is ready or exits was there before. */
function processLanes(events: readonly ProcessEvent[], axis: Axis): Lane[] {
  const lanes = Map.groupBy(events, processLane);
  return [...lanes].map(([name, all]) => {
    const spans: Span[] = [];
    const marks: Mark[] = [];
    for (const own of Map.groupBy(all, (event) => event.name).values()) {
      const sorted = own.toSorted((a, b) => a.at - b.at);
      let since: { readonly change: ProcessEvent['change']; readonly at: number } = {
        change: sorted[0]?.change === 'started' ? 'exited' : 'ready',
        at: axis.from,
      };
      let wentAt: number | undefined;
      for (const event of [...sorted, { at: Math.max(axis.to, sorted.at(-1)?.at ?? 0), change: undefined }]) {
        if (event.at > since.at && !(since.change === 'exited' && wentAt === undefined)) {
          spans.push(lifeSpan(steady(since.change, sorted[0]), since.at, event.at));
        }
        if (event.change === undefined) break;
        if (event.at >= axis.from && event.at <= axis.to) {
          const told = tell(event);
          const back =
            event.change === 'ready' && wentAt !== undefined ? `back after ${formatNs(event.at - wentAt)}` : undefined;
          const label = back ?? (event.change === 'exited' ? told.short : undefined);
          marks.push({
            at: event.at,
            shape: told.shape,
            look: told.look,
            title: told.says,
            ...(label ? { label } : {}),
          });
        }
        if (event.change === 'exited') wentAt = event.at;
        if (event.change === 'ready') wentAt = undefined;
        since = { change: event.change, at: event.at };
      }
    }
    return { name, spans: spans.filter((span) => span.to > axis.from && span.from < axis.to), marks };
  });
}

/** Only daemons and servers say that they are ready; a container is there once it is started. */
function steady(change: ProcessEvent['change'], event: ProcessEvent | undefined): ProcessEvent['change'] {
  const silent = event?.role === 'container' || event?.role === 'program';
  return silent && change === 'started' ? 'ready' : change;
}

function lifeSpan(change: ProcessEvent['change'], from: number, to: number): Span {
  const took = formatNs(to - from);
  if (change === 'ready') return { from, to, weight: 'thin', look: 'ok', title: `ready for ${took}` };
  if (change === 'started') return { from, to, weight: 'thin', look: 'warn', title: `starting for ${took}` };
  return { from, to, weight: 'dashed', look: 'bad', title: `not there for ${took}` };
}

/** The kubelet's waits: from the schedule of a restart to the restart. */
function backOffs(events: readonly ToldEvent[], axis: Axis): Span[] {
  return events.flatMap((event): Span[] => {
    if (event.kind !== 'kubelet' || event.event !== 'restart-scheduled') return [];
    const restart = events.find(
      (one) => one.kind === 'kubelet' && one.event === 'restarted' && one.pod === event.pod && one.at >= event.at,
    );
    return [{ from: event.at, to: restart?.at ?? axis.to, weight: 'thin', look: 'warn', title: tell(event).says }];
  });
}

/** Marks of one kind that would lie on each other become one, with a number. */
function condense(events: readonly ToldEvent[], axis: Axis): Mark[] {
  const near = (axis.to - axis.from) / 300;
  const marks: (Mark & { readonly times: number })[] = [];
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    const { shape, look, says, short } = tell(event);
    const last = marks.at(-1);
    if (last && last.shape === shape && last.look === look && event.at - last.at < near) {
      const times = last.times + 1;
      marks[marks.length - 1] = {
        ...last,
        times,
        title: last.title.replace(/( and \d+ more)?$/, ` and ${times - 1} more`),
      };
    } else {
      marks.push({ at: event.at, shape, look, title: says, label: short, times: 1 });
    }
  }
  return marks;
}

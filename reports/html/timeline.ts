import { formatNs } from '../duration.ts';
import type { HistoryEvent, Recovery } from '../record.ts';
import { type Axis, type Lane, lanesOf, type Mark, type Span } from './lanes.ts';
import { type Content, type Html, html, trusted } from './markup.ts';
import { mark } from './shapes.ts';

export interface TimelineInput {
  readonly axis: Axis;
  /** All events of the scenario. */
  readonly events: readonly HistoryEvent[];
  readonly recoveries: readonly Recovery[];
  /** What the picture is of, for its text alternative. */
  readonly name: string;
}

/** Width of a letter and of the narrowest plots, in pixels: where labels would touch, they are left out. */
const letter = 6.1;
const widths = { wide: 720, phone: 320 };

/** What happened, on one axis: lanes below each other, faults and outages as shaded windows across all of them. */
export function renderTimeline({ axis, events, recoveries, name }: TimelineInput): Html {
  const scale = (at: number) => share((at - axis.from) / (axis.to - axis.from));
  const lanes = lanesOf(events, axis);
  const windows = [...outages(recoveries, axis), ...faultWindows(events, axis)];
  return html`<div class="timeline" role="img" aria-label="${describe(name, axis, lanes, windows)}">
<svg class="backdrop" aria-hidden="true">${ticksOf(axis).map((at) => gridLine(scale(at)))}${windows.map((window) => shade(window, scale))}</svg>
<div class="lane head"><span></span><svg height="24">${faultLabels(events, axis, scale)}</svg></div>
${lanes.map((lane) => renderLane(lane, axis, scale))}
<div class="lane foot"><span></span><svg height="20">${ticksOf(axis).map((at, i, all) => tickLabel({ at, axis, x: scale(at), edge: i === 0 ? 'first' : i === all.length - 1 ? 'last' : 'inner' }))}</svg></div>
</div>`;
}

type Scale = (at: number) => string;

function renderLane(lane: Lane, axis: Axis, scale: Scale): Html {
  const clusters = clustersOf(lane.marks, (axis.to - axis.from) * 0.012);
  const labels = placeLabels(labelsOf(lane, clusters), axis);
  const height = labels.length > 0 ? 36 : 24;
  // Marks that happened nearly at once stand above each other, except on a line, where they belong on it.
  const rows = lane.spans.length > 0 ? [12] : [12, 5, 19];
  const marks = clusters.map((cluster) =>
    cluster.map((one, i) => {
      const y = cluster.length === 2 && rows.length > 1 ? [7, 17][i] : rows[i % rows.length];
      return mark(one.shape, one.look, scale(one.at), y ?? 12, one.title);
    }),
  );
  return html`<div class="lane"><span>${lane.name}</span><svg height="${height}">${lane.spans.map((span) => drawSpan(span, scale))}${marks}${labels}</svg></div>`;
}

function drawSpan(span: Span, scale: Scale): Html {
  const x = scale(span.from);
  const width = Math.max(Number.parseFloat(scale(span.to)) - Number.parseFloat(x), 0.15);
  const [y, height] = span.weight === 'thick' ? [5, 14] : [10.5, 3];
  const line = trusted(
    `<rect x="${x}" y="${y}" width="${trim(width)}%" height="${height}" class="k-${span.look} ${span.weight}"`,
  );
  return html`${line}><title>${span.title}</title></rect>`;
}

/** Marks that nearly touch, together. */
function clustersOf(marks: readonly Mark[], near: number): Mark[][] {
  const clusters: Mark[][] = [];
  for (const one of marks.toSorted((a, b) => a.at - b.at)) {
    const last = clusters.at(-1);
    if (last?.[0] && one.at - last[0].at < near) last.push(one);
    else clusters.push([one]);
  }
  return clusters;
}

interface Label {
  readonly at: number;
  readonly label: string;
  /** Labels that matter more are placed first. */
  readonly weight: number;
}

function labelsOf(lane: Lane, clusters: readonly (readonly Mark[])[]): Label[] {
  const spans = lane.spans.flatMap((span): Label[] =>
    span.label === undefined ? [] : [{ at: span.from, label: span.label, weight: span.to - span.from }],
  );
  const marks = clusters.flatMap((cluster): Label[] => {
    const words = [...new Set(cluster.flatMap((one) => one.label ?? []))];
    const [first] = cluster;
    return first && words.length > 0 ? [{ at: first.at, label: words.join(', '), weight: 0 }] : [];
  });
  return [...spans, ...marks];
}

/** Labels under spans and marks; one that would touch another is left out, on a phone sooner than on a wide screen. */
function placeLabels(labels: readonly Label[], axis: Axis): Html[] {
  const taken = { wide: [] as [number, number][], phone: [] as [number, number][] };
  const place = (x: number, label: string, screen: keyof typeof widths): 'start' | 'end' | undefined => {
    const room = (label.length * letter + 10) / widths[screen];
    const tries = [
      { anchor: 'start', left: x, right: x + room },
      { anchor: 'end', left: x - room, right: x },
    ] as const;
    const free = tries.find(
      ({ left, right }) => left >= 0 && right <= 1 && taken[screen].every(([from, to]) => right < from || left > to),
    );
    if (free) taken[screen].push([free.left, free.right]);
    return free?.anchor;
  };
  return labels
    .toSorted((a, b) => b.weight - a.weight || a.at - b.at)
    .flatMap(({ at, label }) => {
      const x = Math.max(0, (at - axis.from) / (axis.to - axis.from));
      const wide = place(x, label, 'wide');
      const phone = place(x, label, 'phone');
      if (wide !== undefined && wide === phone) return [text({ x: share(x), anchor: wide, label })];
      return [
        ...(wide === undefined ? [] : [text({ x: share(x), anchor: wide, label, only: 'wide' })]),
        ...(phone === undefined ? [] : [text({ x: share(x), anchor: phone, label, only: 'phone' })]),
      ];
    });
}

interface Text {
  readonly x: string;
  readonly anchor: 'start' | 'end' | 'middle';
  readonly label: string;
  readonly y?: number;
  readonly only?: 'wide' | 'phone';
}

function text({ x, anchor, label, y = 32, only }: Text): Html {
  const shift = anchor === 'start' ? 4 : anchor === 'end' ? -4 : 0;
  return html`${trusted(`<text x="${x}" y="${y}" dx="${shift}" class="${anchor}${only ? ` only-${only}` : ''}"`)}>${label}</text>`;
}

interface Window {
  readonly from: number;
  readonly to: number;
  readonly kind: 'outage' | 'fault';
  readonly says: string;
}

/** From a crash until all pods could read again; two pods that share a crash share a window. */
function outages(recoveries: readonly Recovery[], axis: Axis): Window[] {
  return [...Map.groupBy(recoveries, (recovery) => recovery.crash)].flatMap(([crash, all]): Window[] => {
    const disturbed = all.filter((recovery) => recovery.firstError !== undefined);
    if (disturbed.length === 0) return [];
    const next = recoveries.find((recovery) => recovery.crash > crash)?.crash ?? Number.POSITIVE_INFINITY;
    const healed = disturbed.every((recovery) => recovery.readable !== undefined);
    const to = Math.max(...disturbed.map((recovery) => recovery.readable ?? Math.min(next, axis.to)));
    if (to < axis.from || crash > axis.to) return [];
    const took = healed ? `outage of ${formatNs(to - crash)}` : 'not readable again';
    return [{ from: crash, to, kind: 'outage', says: `${took}, ${offset(crash, axis)}` }];
  });
}

function faultWindows(events: readonly HistoryEvent[], axis: Axis): Window[] {
  const faults = events.filter((event) => event.kind === 'fault');
  return faults.flatMap((fault): Window[] => {
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

function shade(window: Window, scale: Scale): Html {
  const x = scale(window.from);
  const width = Math.max(0, Number.parseFloat(scale(window.to)) - Number.parseFloat(x));
  const area = trusted(`<rect x="${x}" y="0" height="100%" width="${trim(width)}%" class="${window.kind}"`);
  return html`${area}><title>${window.says}</title></rect>${window.kind === 'fault' && trusted(`<line x1="${x}" x2="${x}" y1="0" y2="100%" class="moment"/>`)}`;
}

function faultLabels(events: readonly HistoryEvent[], axis: Axis, scale: Scale): Content {
  const faults = events.filter((event) => event.kind === 'fault' && event.at >= axis.from && event.at <= axis.to);
  let taken = Number.NEGATIVE_INFINITY;
  return faults.map((fault) => {
    if (fault.kind !== 'fault' || fault.phase !== 'injected') return undefined;
    const x = (fault.at - axis.from) / (axis.to - axis.from);
    const room = (fault.fault.length * letter + 22) / widths.phone;
    const free = x >= taken;
    if (free) taken = x + room;
    const end = x + room > 1;
    return html`${mark('bolt', 'bad', scale(fault.at), 10, `${fault.fault} in ${fault.target}`)}${
      free &&
      html`${trusted(`<text x="${scale(fault.at)}" y="14" dx="${end ? -9 : 9}" class="${end ? 'end' : 'start'} fault-name"`)}>${fault.fault}</text>`
    }`;
  });
}

function gridLine(x: string): Html {
  return trusted(`<line x1="${x}" x2="${x}" y1="0" y2="100%" class="grid"/>`);
}

interface Tick {
  readonly at: number;
  readonly axis: Axis;
  readonly x: string;
  readonly edge: 'first' | 'inner' | 'last';
}

function tickLabel({ at, axis, x, edge }: Tick): Html {
  const near = Number.parseFloat(x);
  const anchor = edge === 'first' && near < 2 ? 'start' : edge === 'last' && near > 97.5 ? 'end' : 'middle';
  return text({ x, anchor, label: tickName(at - axis.zero, axis), y: 15 });
}

/** Round times, five or six of them. */
export function ticksOf({ from, to, zero }: Axis): number[] {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil((from - zero) / step) * step;
  const count = Math.floor((to - zero - first) / step) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => zero + first + i * step);
}

function tickName(ns: number, { from, to }: Axis): string {
  if (ns === 0) return '0';
  const seconds = to - from >= 1.5e9;
  const value = ns / (seconds ? 1e9 : 1e6);
  return `${value < 0 ? '−' : ''}${Number(Math.abs(value).toFixed(3))} ${seconds ? 's' : 'ms'}`;
}

function describe(name: string, axis: Axis, lanes: readonly Lane[], windows: readonly Window[]): string {
  const parts = lanes.map((lane) => {
    const said = lane.spans.flatMap((span) => span.label ?? []);
    const counted = Map.groupBy(lane.marks, (one) => one.label ?? '');
    const marks = [...counted].flatMap(([label, own]) =>
      label === '' ? [] : `${label}${own.length > 1 ? ` ${own.length} times` : ''}`,
    );
    const all = [...said, ...marks].slice(0, 12);
    return `${lane.name}: ${all.join(', ') || 'nothing amiss'}`;
  });
  const shaded = windows.map((window) => window.says).slice(0, 12);
  return `${name}, ${formatNs(axis.to - axis.from)}. ${[...shaded, ...parts].join('. ')}. The list below has it all.`;
}

function offset(at: number, { zero }: Axis): string {
  return `at ${formatNs(at - zero)}`;
}

function share(part: number): string {
  return `${trim(Math.min(1, Math.max(0, part)) * 100)}%`;
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}

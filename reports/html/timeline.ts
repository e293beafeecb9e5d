import { formatNs } from '../duration.ts';
import type { HistoryEvent, Recovery } from '../record.ts';
import { type Axis, type Scale, scaleOf, tickName, ticksOf, trim } from './axis.ts';
import { clustersOf, labelsOf, letter, placeLabels, text, widths } from './labels.ts';
import { type Lane, lanesOf, type Span } from './lanes.ts';
import { type Content, type Html, html, trusted } from './markup.ts';
import { mark } from './shapes.ts';
import { faultWindows, outages, type Window } from './windows.ts';

export interface TimelineInput {
  readonly axis: Axis;
  /** All events of the scenario. */
  readonly events: readonly HistoryEvent[];
  readonly recoveries: readonly Recovery[];
  /** What the picture is of, for its text alternative. */
  readonly name: string;
}

/** What happened, on one axis: lanes below each other, faults and outages as shaded windows across all of them. */
export function renderTimeline({ axis, events, recoveries, name }: TimelineInput): Html {
  const scale = scaleOf(axis);
  const lanes = lanesOf(events, axis);
  const windows = [...outages(recoveries, axis), ...faultWindows(events, axis)];
  return html`<div class="timeline" role="img" aria-label="${describe(name, axis, lanes, windows)}">
<svg class="backdrop" aria-hidden="true">${ticksOf(axis).map((at) => gridLine(scale(at)))}${windows.map((window) => shade(window, scale))}</svg>
<div class="lane head"><span></span><svg height="24">${faultLabels(events, axis, scale)}</svg></div>
${lanes.map((lane) => renderLane(lane, axis, scale))}
<div class="lane foot"><span></span><svg height="20">${ticksOf(axis).map((at, i, all) => tickLabel({ at, axis, x: scale(at), edge: i === 0 ? 'first' : i === all.length - 1 ? 'last' : 'inner' }))}</svg></div>
</div>`;
}

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

import type { Lane, Mark, Span } from './packed.ts';
import type { Palette } from './palette.ts';
import { clockSeconds, tickName, ticksOf, type View } from './scale.ts';
import { drawShape } from './shapes.ts';
import type { ProbeSeries, Unpacked } from './unpack.ts';

/** Something drawn that can be pointed at: a box on the canvas, and what it says. */
export interface Target {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly says: string;
}

export interface Picture {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly view: View;
  readonly palette: Palette;
  /** Hatchings by colour. */
  readonly hatch: (colour: string) => CanvasPattern | string;
}

const font = '11px system-ui, sans-serif';
const head = 22;
const foot = 22;
const probeHeight = 92;
const laneHeight = 24;
const rowHeight = 14;

/** Where things are: a gutter with names on a wide screen, names above their lanes on a narrow one. */
export function layoutOf({ scenario, probes }: Unpacked, width: number) {
  const wide = width >= 720;
  const gutter = wide ? 172 : 0;
  const name = wide ? 0 : 17;
  let top = head;
  const probeTops = probes.map(() => {
    const own = top + name;
    top = own + probeHeight + 8;
    return own;
  });
  const laneTops = scenario.lanes.map((lane) => {
    const rows = 1 + Math.max(0, ...lane.spans.map(({ row = 0 }) => Math.min(row, 5)));
    const own = top + name;
    top = own + laneHeight + (rows - 1) * rowHeight;
    return own;
  });
  return { wide, gutter, right: 12, name, probeTops, laneTops, bottom: top, height: top + foot };
}

/** Draws all, and says what can be pointed at. */
export function draw(data: Unpacked, picture: Picture): Target[] {
  const { context, width, view, palette } = picture;
  const layout = layoutOf(data, width);
  const { gutter, bottom } = layout;
  const targets: Target[] = [];
  const plot = width - gutter - layout.right;
  const x = (at: number) => gutter + ((at - view.from) / (view.to - view.from)) * plot;
  const visible = (from: number, to: number) => to >= view.from && from <= view.to;
  const clip = (value: number) => Math.min(gutter + plot, Math.max(gutter, value));
  context.clearRect(0, 0, width, layout.height);
  context.font = font;
  context.textBaseline = 'middle';

  for (const window of data.scenario.windows) {
    if (!visible(window.from, window.to)) continue;
    const left = clip(x(window.from));
    const right = Math.max(left + 1, clip(x(window.to)));
    context.fillStyle = window.kind === 'outage' ? palette.outage : palette.sunk;
    context.fillRect(left, head - 2, right - left, bottom - head + 2);
    if (right - left > 2) targets.push({ left, right, top: 0, bottom: head, says: window.says });
  }

  const zero = zeroOf(data, view);
  context.lineWidth = 1;
  for (const tick of ticksOf(view, zero, Math.max(0.06, 84 / plot))) {
    const at = Math.round(x(tick)) + 0.5;
    line(context, palette.line, at, head, at, bottom);
    const label = tickName(tick - zero, view.to - view.from);
    const half = context.measureText(label).width / 2;
    context.fillStyle = palette.soft;
    context.textAlign = 'center';
    context.fillText(label, Math.min(width - half - 1, Math.max(gutter + half, at)), bottom + 12);
  }

  data.probes.forEach((probe, i) => {
    const top = layout.probeTops[i] ?? 0;
    name(picture, layout, `Probe in ${probe.name}`, top, top + 10);
    drawProbe({ probe, picture, top, x, left: gutter, right: gutter + plot, targets, wide: layout.wide });
  });
  data.scenario.lanes.forEach((lane, i) => {
    const top = layout.laneTops[i] ?? 0;
    line(context, palette.line, layout.wide ? 0 : gutter, top - layout.name, width, top - layout.name);
    name(picture, layout, lane.name, top, top + laneHeight / 2);
    context.save();
    context.beginPath();
    context.rect(gutter - 6, top - 4, plot + 6 + layout.right, layout.height);
    context.clip();
    drawLane({ lane, picture, top, x, visible, left: gutter, right: gutter + plot, targets });
    context.restore();
  });
  line(context, palette.line, gutter, bottom + 0.5, width, bottom + 0.5);

  drawFaults(data, { picture, x, visible, targets, bottom, gutter });
  return targets;
}

interface FaultDrawing {
  readonly picture: Picture;
  readonly x: (at: number) => number;
  readonly visible: (from: number, to: number) => boolean;
  readonly targets: Target[];
  readonly bottom: number;
  readonly gutter: number;
}

/** A line through all lanes for each fault, and its name where there is room before the next. */
function drawFaults({ scenario }: Unpacked, { picture, x, visible, targets, bottom, gutter }: FaultDrawing): void {
  const { context, palette, width } = picture;
  const shown = scenario.faults.filter(({ at }) => visible(at, at));
  shown.forEach((fault, i) => {
    const at = x(fault.at);
    context.setLineDash([3, 3]);
    line(context, palette.bad, at, head - 2, at, bottom);
    context.setLineDash([]);
    drawShape(context, 'bolt', at, 10, 11, { colour: palette.bad, ground: palette.card });
    const says = `${fault.title}, at ${clockSeconds(fault.at)} s`;
    targets.push({ left: at - 7, right: at + 7, top: 0, bottom: head, says });
    const room = context.measureText(fault.name).width;
    const next = shown[i + 1];
    const before = shown[i - 1];
    context.fillStyle = palette.ink;
    context.textAlign = 'left';
    if (at + 9 + room < (next ? x(next.at) - 8 : width)) context.fillText(fault.name, at + 9, 10);
    else if (!next && at - 9 - room > (before ? x(before.at) + 8 : gutter))
      context.fillText(fault.name, at - 9 - room, 10);
  });
}

/** The fault that a close view is about, and the scenario's beginning for a wide one. */
export function zeroOf({ scenario }: Unpacked, view: View): number {
  if (view.to - view.from > (scenario.to - scenario.from) * 0.6) return 0;
  const near = view.from + (view.to - view.from) * 0.5;
  return scenario.faults.findLast(({ at }) => at <= near)?.at ?? 0;
}

function line(context: CanvasRenderingContext2D, colour: string, x1: number, y1: number, x2: number, y2: number): void {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function name(
  { context, palette }: Picture,
  { wide, gutter }: ReturnType<typeof layoutOf>,
  text: string,
  top: number,
  middle: number,
): void {
  context.fillStyle = palette.soft;
  context.textAlign = 'left';
  if (!wide) {
    context.fillText(text, 0, top - 7);
    return;
  }
  let shown = text;
  while (context.measureText(shown).width > gutter - 46 && shown.length > 4) shown = `${shown.slice(0, -2)}…`;
  context.fillText(shown, 0, middle);
}

interface ProbeDrawing {
  readonly probe: ProbeSeries;
  readonly picture: Picture;
  readonly top: number;
  readonly x: (at: number) => number;
  readonly left: number;
  readonly right: number;
  readonly targets: Target[];
  readonly wide: boolean;
}

const bandHeight = 6;

/** Latency upwards, on a logarithmic scale, one point for each operation; below, a band coloured by result. */
function drawProbe({ probe, picture, top, x, left, right, targets, wide }: ProbeDrawing): void {
  const { context, palette, view, hatch } = picture;
  const { at, took, result, results, count, hangs } = probe;
  const first = lowerBound(at, view.from);
  let last = first;
  let slowest = 1000;
  let fastest = 1000;
  for (; last < count && (at[last] ?? 0) <= view.to; last++) {
    const micros = took[last] ?? 0;
    if (micros > slowest) slowest = micros;
    if (micros < fastest) fastest = micros;
  }
  const floor = 10 ** Math.floor(Math.log10(Math.max(1, fastest)));
  const ceiling = 10 ** Math.ceil(Math.log10(slowest * 1.05));
  const bottom = top + probeHeight - bandHeight - 4;
  const y = (micros: number) =>
    bottom - 4 - (Math.log(Math.max(floor, micros) / floor) / Math.log(ceiling / floor)) * (bottom - top - 10);
  context.textAlign = wide ? 'right' : 'left';
  for (let micros = floor; micros <= ceiling; micros *= 10) {
    const at = Math.round(y(micros)) + 0.5;
    line(context, palette.line, left, at, right, at);
    if (Math.log10(ceiling / floor) > 4 && Math.round(Math.log10(micros)) % 2 === 1) continue;
    context.fillStyle = palette.soft;
    if (wide) context.fillText(latencyName(micros), left - 6, at);
  }
  for (const hang of hangs) {
    if (hang.to < view.from || hang.from > view.to) continue;
    const from = Math.max(left, x(hang.from));
    const to = Math.min(right, x(hang.to));
    context.globalAlpha = 0.4;
    context.fillStyle = hatch(palette.odd);
    context.fillRect(from, top, Math.max(2, to - from), bottom - top);
    context.globalAlpha = 1;
    targets.push({ left: from, right: to, top, bottom, says: hang.title });
  }
  const inks = results.map(({ look }) => ({ colour: palette[look], ground: palette.card }));
  const dense = last - first > (right - left) * 1.5;
  // What failed lies on top of what went well.
  for (const failed of [false, true]) {
    for (let i = first; i < last; i++) {
      const kind = result[i] ?? 0;
      const known = results[kind];
      const ink = inks[kind];
      if (known === undefined || ink === undefined || (known.name !== 'ok') !== failed) continue;
      const px = x(at[i] ?? 0);
      const py = y(took[i] ?? 0);
      if (!failed) {
        context.fillStyle = ink.colour;
        context.globalAlpha = dense ? 0.45 : 0.75;
        context.fillRect(px - 1, py - 1, dense ? 1.5 : 2.4, dense ? 1.5 : 2.4);
        context.globalAlpha = 1;
      } else {
        drawShape(context, known.shape, px, py, dense ? 5 : 7, ink);
      }
    }
  }
  // On a narrow screen the axis lies over the points.
  for (let micros = floor; !wide && micros <= ceiling; micros *= 100) {
    const label = latencyName(micros);
    context.fillStyle = palette.card;
    context.globalAlpha = 0.8;
    context.fillRect(0, y(micros) - 7, context.measureText(label).width + 4, 14);
    context.globalAlpha = 1;
    context.fillStyle = palette.soft;
    context.fillText(label, 2, y(micros));
  }
  context.textAlign = 'left';
  for (const { from, to, label } of hangs) {
    const start = Math.max(left, x(from)) + 6;
    const room = context.measureText(label ?? '').width;
    if (label === undefined || to < view.from || from > view.to || x(to) - start < room) continue;
    context.fillStyle = palette.card;
    context.fillRect(start - 3, bottom - 18, room + 6, 15);
    context.fillStyle = palette.ink;
    context.fillText(label, start, bottom - 10);
  }
  band(probe, first, last, { picture, top: bottom + 4, x, left, right, targets });
}

/** Runs of one result as boxes; a run of failures is at least two pixels wide. */
function band(probe: ProbeSeries, first: number, last: number, on: Omit<ProbeDrawing, 'probe' | 'wide'>): void {
  const { picture, top, x, left, right, targets } = on;
  const { context, palette, hatch } = picture;
  const { at, took, result, results } = probe;
  for (const failed of [false, true]) {
    for (let i = first; i < last; ) {
      const kind = result[i] ?? 0;
      const began = i;
      while (i < last && result[i] === kind) i++;
      const known = results[kind];
      if (known === undefined || (known.name !== 'ok') !== failed) continue;
      const end = i < last ? (at[i] ?? 0) : (at[i - 1] ?? 0) + (took[i - 1] ?? 0);
      const from = Math.max(left, x(at[began] ?? 0));
      const to = Math.min(right, Math.max(x(end), from + (failed ? 2 : 0)));
      context.fillStyle = failed ? palette[known.look] : palette.ok;
      context.fillRect(from, top, to - from, bandHeight);
      if (failed) {
        context.fillStyle = hatch(palette.card);
        context.globalAlpha = 0.35;
        context.fillRect(from, top, to - from, bandHeight);
        context.globalAlpha = 1;
      }
      const says = `${known.name} × ${i - began}`;
      targets.push({ left: from, right: Math.max(to, from + 3), top: top - 3, bottom: top + bandHeight + 3, says });
    }
  }
}

interface LaneDrawing {
  readonly lane: Lane;
  readonly picture: Picture;
  readonly top: number;
  readonly x: (at: number) => number;
  readonly visible: (from: number, to: number) => boolean;
  readonly left: number;
  readonly right: number;
  readonly targets: Target[];
}

function drawLane({ lane, picture, top, x, visible, left, right, targets }: LaneDrawing): void {
  const { context, palette } = picture;
  const labels: { readonly x: number; readonly text: string }[] = [];
  for (const span of lane.spans) {
    if (!visible(span.from, span.to)) continue;
    const middle = top + laneHeight / 2 + Math.min(span.row ?? 0, 5) * rowHeight;
    const from = Math.max(left, x(span.from));
    const to = Math.max(from + 2, Math.min(right, x(span.to)));
    drawSpan(context, span, from, to, middle, palette[span.look]);
    targets.push({ left: from, right: to, top: middle - 5, bottom: middle + 5, says: span.title });
    if (span.label && to - from > context.measureText(span.label).width + 10 && span.weight === 'thick') {
      context.fillStyle = palette.card;
      context.textAlign = 'left';
      context.fillText(span.label, from + 5, middle + 0.5);
    }
  }
  let lastAt = Number.NEGATIVE_INFINITY;
  let lift = 0;
  for (const mark of lane.marks.toSorted((a, b) => a.at - b.at)) {
    if (!visible(mark.at, mark.at)) continue;
    const at = x(mark.at);
    // Marks that happened nearly at once stand above each other, except on a line, where they belong on it.
    lift = at - lastAt < 7 && lane.spans.length === 0 ? (lift + 1) % 3 : 0;
    const middle = top + laneHeight / 2 + ([0, -6, 6][lift] ?? 0);
    drawShape(context, mark.shape, at, middle, 9.5, { colour: palette[mark.look], ground: palette.card });
    targets.push(targetOf(mark, at, middle));
    if (mark.label && lift === 0) labels.push({ x: at, text: mark.label });
    lastAt = at;
  }
  context.textAlign = 'left';
  context.fillStyle = palette.soft;
  labels.forEach((label, i) => {
    const next = labels[i + 1]?.x ?? right + 12;
    if (label.x + 12 + context.measureText(label.text).width > next) return;
    const middle = top + laneHeight / 2;
    const width = context.measureText(label.text).width;
    context.fillStyle = palette.card;
    context.globalAlpha = 0.85;
    context.fillRect(label.x + 6, middle - 7, width + 4, 14);
    context.globalAlpha = 1;
    context.fillStyle = palette.soft;
    context.fillText(label.text, label.x + 8, middle + 0.5);
  });
}

function targetOf(mark: Mark, x: number, y: number): Target {
  return { left: x - 6, right: x + 6, top: y - 6, bottom: y + 6, says: `${mark.title}, at ${clockSeconds(mark.at)} s` };
}

function drawSpan(
  context: CanvasRenderingContext2D,
  { weight }: Span,
  from: number,
  to: number,
  middle: number,
  colour: string,
): void {
  if (weight === 'dashed') {
    context.strokeStyle = colour;
    context.setLineDash([2, 3]);
    context.strokeRect(from + 0.5, Math.round(middle) - 3.5, to - from - 1, 7);
    context.setLineDash([]);
    return;
  }
  context.fillStyle = colour;
  const height = weight === 'thin' ? 3 : 12;
  context.beginPath();
  context.roundRect(from, middle - height / 2, to - from, height, weight === 'thin' ? 1.5 : 3);
  context.fill();
}

function latencyName(micros: number): string {
  if (micros < 1000) return `${micros} µs`;
  return micros < 1e6 ? `${micros / 1e3} ms` : `${micros / 1e6} s`;
}

/** The first index whose time is not before a moment. */
export function lowerBound(times: Float64Array, moment: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

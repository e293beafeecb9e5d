import { type HoverTarget, heights, line, type Picture } from './picture.ts';
import { drawShape } from './shapes.ts';
import type { ProbeSeries } from './unpack.ts';

interface ProbeDrawing {
  readonly probe: ProbeSeries;
  readonly picture: Picture;
  readonly top: number;
  readonly x: (at: number) => number;
  readonly left: number;
  readonly right: number;
  readonly targets: HoverTarget[];
  readonly wide: boolean;
}

const bandHeight = 6;

/** Draws a point for each operation over a logarithmic latency axis, and below it a band coloured by result. */
export function drawProbe({ probe, picture, top, x, left, right, targets, wide }: ProbeDrawing): void {
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
  const bottom = top + heights.probe - bandHeight - 4;
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
  // Failures are drawn over good operations.
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
  // On narrow screens the axis is drawn over the points.
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

/** Draws runs of equal results as boxes. A run of failures is at least two pixels wide. */
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

function latencyName(micros: number): string {
  if (micros < 1000) return `${micros} µs`;
  return micros < 1e6 ? `${micros / 1e3} ms` : `${micros / 1e6} s`;
}

/** The first index whose time is not before a moment. */
function lowerBound(times: Float64Array, moment: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

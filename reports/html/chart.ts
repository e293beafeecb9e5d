import { type Html, html, trusted } from './markup.ts';

/** A period in nanoseconds since the run began; times are shown relative to `zero`. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly zero: number;
}

export function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Lines and points over two axes. */
export interface Chart {
  /** The figures in words, for screen readers. */
  readonly says: string;
  readonly title: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly series: readonly ChartSeries[];
  /** False if several charts share a legend. */
  readonly legend?: false;
}

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly at: number; readonly name: string }[];
  readonly logarithmic?: boolean;
}

export interface ChartSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Colour, and how the line is dashed. */
  readonly tone: 1 | 2 | 3 | 4 | 5 | 6;
  /** `step` goes right first, then up. */
  readonly as: 'line' | 'step' | 'points';
}

/** Renders a chart. Lines are drawn in a box of 1000 × 1000 that stretches; text and points keep their shape. */
export function renderChart({ says, title, x, y, series, legend }: Chart): Html {
  const px = (value: number) => share(value, x) * 100;
  const py = (value: number) => 100 - share(value, y) * 100;
  const grid = [
    ...y.ticks.map(({ at }) => `<line x1="0" x2="100%" y1="${trim(py(at))}%" y2="${trim(py(at))}%" class="grid"/>`),
    ...x.ticks.map(({ at }) => `<line x1="${trim(px(at))}%" x2="${trim(px(at))}%" y1="0" y2="100%" class="grid"/>`),
  ].join('');
  const lines = series
    .filter(({ as, points }) => as !== 'points' && points.length > 0)
    .map(
      ({ as, points, tone }) =>
        `<path class="t${tone}" d="${pathOf(points, as, px, py)}" vector-effect="non-scaling-stroke"/>`,
    )
    .join('');
  const dots = series
    .filter(({ as }) => as === 'points')
    .flatMap(({ points, tone }) =>
      points.map(
        (point) => `<circle class="t${tone}" cx="${trim(px(point[0]))}%" cy="${trim(py(point[1]))}%" r="3.5"/>`,
      ),
    )
    .join('');
  return html`<figure class="chart"><figcaption>${title}</figcaption>
${series.length > 1 && legend !== false && renderLegend(series)}
<div class="plot" role="img" aria-label="${says}"><svg aria-hidden="true">${trusted(grid)}<svg viewBox="0 0 1000 1000" preserveAspectRatio="none">${trusted(lines)}</svg>${trusted(dots)}${y.ticks.map(
    ({ at, name }) => html`${trusted(`<text x="0" dx="-8" y="${trim(py(at))}%" dy="4" class="end">`)}${name}</text>`,
  )}${separateLabels(x.ticks.map(({ at, name }) => ({ name, left: px(at) }))).map(({ name, left }) => html`${trusted(`<text x="${trim(left)}%" y="100%" dy="17" class="${anchor(left)}">`)}${name}</text>`)}</svg></div></figure>`;
}

const anchor = (left: number) => (left < 4 ? 'start' : left > 93 ? 'end' : 'middle');

/** Width of a character in percent of the narrowest chart. */
const characterWidth = 3.6;

interface TickLabel {
  readonly name: string;
  /** In percent of the chart's width. */
  readonly left: number;
}

/** Labels without those that would run into the last one. */
function separateLabels(labels: readonly TickLabel[]): readonly TickLabel[] {
  const last = labels.at(-1);
  const width = ({ name }: TickLabel) => name.length * characterWidth;
  if (last === undefined) return [];
  const limit = last.left - (anchor(last.left) === 'end' ? 1 : 0.5) * width(last);
  return labels.filter((label) => label === last || label.left + width(label) / 2 < limit);
}

export function renderLegend(series: readonly Pick<ChartSeries, 'name' | 'tone' | 'as'>[]): Html {
  return html`<ul class="legend">${series.map(({ name, tone, as }) => html`<li><i class="key t${tone} ${as === 'points' ? 'dot' : ''}"></i>${name}</li>`)}</ul>`;
}

function pathOf(
  points: ChartSeries['points'],
  as: ChartSeries['as'],
  px: (value: number) => number,
  py: (value: number) => number,
): string {
  return points
    .map(([x, y], i) => {
      const [left, top] = [Math.round(px(x) * 10), Math.round(py(y) * 10)];
      if (i === 0) return `M${left} ${top}`;
      return as === 'step' ? `H${left}V${top}` : `L${left} ${top}`;
    })
    .join('');
}

function share(value: number, { from, to, logarithmic }: Scale): number {
  const part = logarithmic ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return Number.isFinite(part) ? Math.min(1, Math.max(0, part)) : 0;
}

/** A linear scale from `from` to a round number. */
export function linearScale(highest: number, formatTick: (value: number) => string, from = 0): Scale {
  const rough = (highest - from) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(from / step) * step;
  const count = Math.max(1, Math.ceil((highest - first) / step - 1e-9));
  const ticks = Array.from({ length: count + 1 }, (_, i) => ({
    at: first + i * step,
    name: formatTick(first + i * step),
  }));
  return { from: first, to: first + count * step, ticks };
}

/** A logarithmic scale with ticks at powers of ten, and at values between if there are few. */
export function logarithmicScale(lowest: number, highest: number, formatTick: (value: number) => string): Scale {
  const decades = Math.log10(highest / lowest);
  const factors = decades < 1 ? [1, 2, 5] : decades < 2 ? [1, 3] : [1];
  const candidates: number[] = [];
  for (let power = Math.floor(Math.log10(lowest)); power <= Math.ceil(Math.log10(highest)); power++) {
    for (const factor of factors) candidates.push(factor * 10 ** power);
  }
  const from = candidates.findLast((value) => value <= lowest) ?? lowest;
  const to = candidates.find((value) => value >= highest && value > from) ?? highest;
  const ticks = candidates.filter((value) => value >= from && value <= to).map((at) => ({ at, name: formatTick(at) }));
  return { from, to, ticks, logarithmic: true };
}

/** At most `limit` of the points, including the first and the last. */
export function thin<T>(points: readonly T[], limit: number): readonly T[] {
  if (points.length <= limit) return points;
  return Array.from({ length: limit }, (_, i) => points[Math.round((i * (points.length - 1)) / (limit - 1))]).filter(
    (point) => point !== undefined,
  );
}

/** `10 ms` rather than `10.0 ms`, because a tick is exact. */
export function tickName(duration: string): string {
  return duration.replace(/\.0+ |(\.\d*[1-9])0+ /, '$1 ');
}

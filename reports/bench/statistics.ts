/** A confidence interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Resampling {
  /** Returns numbers in [0, 1). */
  readonly random: () => number;
  /** Number of resamples. The more, the less the interval depends on the seed. */
  readonly times: number;
  /** With 0.95, nineteen of twenty such intervals contain the true value. */
  readonly confidence: number;
}

/** A quantile of a sorted list by nearest rank, so always a measured value. NaN if the list is empty. */
export function quantile(sorted: readonly number[] | Float64Array, share: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

export function sortedCopy(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * A sorted resample of the same length (circular block bootstrap, Politis and Romano 1992; the block length is about the cube root
 * of the sample size). Blocks of neighbours are drawn because disturbances of a machine outlast one crash: successive crashes
 * are correlated, and drawing them one by one would give intervals that are too narrow.
 */
export function resample(values: readonly number[], random: () => number): Float64Array {
  const { length } = values;
  const block = Math.max(1, Math.round(length ** (1 / 3)));
  const drawn = new Float64Array(length);
  for (let filled = 0; filled < length; ) {
    const start = Math.floor(random() * length);
    for (let step = 0; step < block && filled < length; step++, filled++)
      drawn[filled] = values[(start + step) % length] ?? Number.NaN;
  }
  return drawn.sort();
}

/** Percentile bootstrap of a statistic of one or more samples. `figure` receives sorted resamples. */
export function bootstrap(
  samples: readonly (readonly number[])[],
  figure: (sorted: readonly Float64Array[]) => number,
  { random, times, confidence }: Resampling,
): Interval {
  const figures = new Float64Array(times);
  for (let time = 0; time < times; time++) figures[time] = figure(samples.map((sample) => resample(sample, random)));
  figures.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(figures, tail), high: quantile(figures, 1 - tail) };
}

/** Statistics of one phase, in milliseconds. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Confidence intervals of the quantiles for which there are enough samples. */
  readonly intervals: { readonly [name in keyof typeof shares]?: Interval };
}

export const shares = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;

/**
 * The smallest sample that allows a two-sided confidence interval of a quantile: with fewer values the quantile may well lie beyond
 * the smallest or largest one (binomial order statistics). At 95 %: 6 for the median, 36 for p90, 368 for p99.
 */
export function minimumSamples(share: number, confidence: number): number {
  return Math.ceil(Math.log((1 - confidence) / 2) / Math.log(Math.max(share, 1 - share)));
}

/** Undefined if there are no samples. */
export function summarize(samples: readonly number[], resampling: Resampling): Distribution | undefined {
  if (samples.length === 0) return undefined;
  const sorted = sortedCopy(samples);
  const at = (share: number) => quantile(sorted, share);
  const intervals = Object.entries(shares)
    .filter(([, share]) => samples.length >= minimumSamples(share, resampling.confidence))
    .map(([name, share]) => [
      name,
      bootstrap([samples], ([resampled = new Float64Array()]) => quantile(resampled, share), resampling),
    ]);
  return {
    count: sorted.length,
    min: at(0),
    p50: at(shares.p50),
    p90: at(shares.p90),
    p99: at(shares.p99),
    max: at(1),
    intervals: Object.fromEntries(intervals),
  };
}

/** Pseudo-random numbers in [0, 1) (mulberry32). A seed gives the same numbers on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `y = base + slope × x`; `r2` is 1 if all points lie on the line. */
export interface Line {
  readonly base: number;
  readonly slope: number;
  readonly r2: number;
}

/** Fits a line by least squares. Undefined if there are fewer than three points. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line | undefined {
  if (points.length < 3) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([px]) => px)), mean(points.map(([, py]) => py))];
  const sum = (of: (px: number, py: number) => number) => points.reduce((all, [px, py]) => all + of(px, py), 0);
  const slope = sum((px, py) => (px - x) * (py - y)) / sum((px) => (px - x) ** 2);
  const base = y - slope * x;
  const left = sum((px, py) => (py - base - slope * px) ** 2);
  const all = sum((_, py) => (py - y) ** 2);
  return { base, slope, r2: all === 0 ? 1 : 1 - left / all };
}

/**
 * The exponent of `y - base = a × x^exponent` between the last two points, with the first point's `y` as `base`: 1 for linear, 2 for
 * quadratic growth. Points are in order of x. Undefined if there are fewer than three, or if they do not grow.
 */
export function growthExponent(points: readonly (readonly [x: number, y: number])[]): number | undefined {
  const [[, base] = [0, 0]] = points;
  const [before, last] = points.slice(-2);
  if (points.length < 3 || !before || !last || before[1] <= base || last[1] <= base) return undefined;
  return Math.log((last[1] - base) / (before[1] - base)) / Math.log(last[0] / before[0]);
}

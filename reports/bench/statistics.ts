/** An interval that holds the true value with the confidence that was asked for. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Resampling {
  /** In [0, 1). */
  readonly random: () => number;
  /** How often; the more, the less the interval depends on the seed. */
  readonly times: number;
  /** 0.95: nineteen of twenty such intervals hold the true value. */
  readonly confidence: number;
}

/** The value at a share of a sorted list, nearest rank: one that was measured. NaN of an empty list. */
export function quantile(sorted: readonly number[] | Float64Array, share: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

export function sortedCopy(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * A resample of the same length, made of runs of neighbours: what disturbs a machine lasts longer than one crash, so crashes that
 * follow each other are alike, and drawing them one by one would promise more than was measured. (Circular block bootstrap,
 * blocks of about the cube root of the length: Politis and Romano 1992.) Sorted.
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

/** Percentile bootstrap of any figure of one or more samples: `figure` is given sorted resamples. */
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

/** Figures of one phase, in milliseconds, each with its interval. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Of the median, and of the 90th and 99th percentile. */
  readonly intervals: { readonly p50: Interval; readonly p90: Interval; readonly p99: Interval };
}

export const shares = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;

/** Undefined where there is no sample. */
export function summarize(samples: readonly number[], resampling: Resampling): Distribution | undefined {
  if (samples.length === 0) return undefined;
  const sorted = sortedCopy(samples);
  const at = (share: number) => quantile(sorted, share);
  const interval = (share: number) =>
    bootstrap([samples], ([one = new Float64Array()]) => quantile(one, share), resampling);
  return {
    count: sorted.length,
    min: at(0),
    p50: at(shares.p50),
    p90: at(shares.p90),
    p99: at(shares.p99),
    max: at(1),
    intervals: { p50: interval(shares.p50), p90: interval(shares.p90), p99: interval(shares.p99) },
  };
}

/** Numbers in [0, 1) from a seed (mulberry32): the same seed, the same numbers, on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A straight line through points: `y = base + slope × x`, by least squares; `r2` is 1 where all lie on it. */
export interface Line {
  readonly base: number;
  readonly slope: number;
  readonly r2: number;
}

/** Undefined where there are not three points. */
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
 * How growth bends: the exponent of `y - base = a × x^exponent` between the last two points, where `base` is what the smallest
 * takes. 1 is linear, 2 quadratic. Undefined where there are not three points, in order of x, that grow.
 */
export function growthExponent(points: readonly (readonly [x: number, y: number])[]): number | undefined {
  const [[, base] = [0, 0]] = points;
  const [before, last] = points.slice(-2);
  if (points.length < 3 || !before || !last || before[1] <= base || last[1] <= base) return undefined;
  return Math.log((last[1] - base) / (before[1] - base)) / Math.log(last[0] / before[0]);
}

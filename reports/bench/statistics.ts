/** A confidence interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A quantile of a sorted list by nearest rank, so always a measured value. NaN if the list is empty. */
export function quantile(sorted: readonly number[] | Float64Array, share: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

export function sortedCopy(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/** P(X <= k) of binomial distributions, for k from 0 to n. */
function binomialCdf(n: number, p: number): Float64Array {
  const cdf = new Float64Array(n + 1);
  let logMass = n * Math.log1p(-p);
  for (let k = 0, sum = 0; k <= n; k++) {
    sum += Math.exp(logMass);
    cdf[k] = sum;
    logMass += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
  }
  return cdf;
}

/**
 * By which factor correlated neighbours inflate the variance of a quantile (Newey and West 1987, on the indicator of values up to the
 * quantile): disturbances of a machine outlast one crash. 1 unless the correlation of neighbours is significant.
 */
function varianceInflation(values: readonly number[], limit: number, share: number): number {
  const { length } = values;
  const centred = values.map((value) => (value <= limit ? 1 : 0) - share);
  const correlation = (lag: number) => {
    let sum = 0;
    for (let at = lag; at < length; at++) sum += (centred[at] ?? 0) * (centred[at - lag] ?? 0);
    return sum / (length * share * (1 - share));
  };
  if (correlation(1) <= 2 / Math.sqrt(length)) return 1;
  const lags = Math.round(3 * Math.cbrt(length));
  let sum = 0;
  for (let lag = 1; lag <= lags; lag++) sum += Math.max(0, correlation(lag)) * (1 - lag / (lags + 1));
  return 1 + 2 * sum;
}

/**
 * A confidence interval of a quantile between two order statistics, whose ranks the binomial distribution gives whatever the
 * distribution of the values, widened if neighbours are correlated. `values` are in order of time. Undefined if there are too few.
 */
export function quantileInterval(values: readonly number[], share: number, confidence: number): Interval | undefined {
  const { length } = values;
  const sorted = sortedCopy(values);
  const tail = (1 - confidence) / 2;
  const cdf = binomialCdf(length, share);
  const lower = cdf.findLastIndex((probability) => probability <= tail) + 1;
  const upper = cdf.findIndex((probability) => probability >= 1 - tail) + 1;
  const widening = Math.sqrt(varianceInflation(values, quantile(sorted, share), share));
  const middle = share * length;
  const low = sorted[Math.floor(middle - (middle - lower) * widening) - 1];
  const high = sorted[Math.ceil(middle + (upper - middle) * widening) - 1];
  return low === undefined || high === undefined ? undefined : { low, high };
}

/**
 * A confidence interval of `after - factor × before` for a quantile, from the intervals of both (MOVER: Zou and Donner 2008).
 * Undefined if there are too few values.
 */
export function differenceInterval(
  [before, after]: readonly [readonly number[], readonly number[]],
  { share, confidence, factor = 1 }: { readonly share: number; readonly confidence: number; readonly factor?: number },
): Interval | undefined {
  const [a, b] = [quantileInterval(before, share, confidence), quantileInterval(after, share, confidence)];
  if (a === undefined || b === undefined) return undefined;
  const [x, y] = [quantile(sortedCopy(before), share), quantile(sortedCopy(after), share)];
  const difference = y - factor * x;
  return {
    low: difference - Math.hypot(y - b.low, factor * (a.high - x)),
    high: difference + Math.hypot(b.high - y, factor * (x - a.low)),
  };
}

/** A confidence interval of the ratio of two medians of positive values. */
export function ratioInterval(
  samples: readonly [readonly number[], readonly number[]],
  confidence: number,
): Interval | undefined {
  if (samples.flat().some((value) => value <= 0)) return undefined;
  const logarithms = samples.map((values) => values.map(Math.log)) as unknown as typeof samples;
  const interval = differenceInterval(logarithms, { share: 0.5, confidence });
  return interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) };
}

/**
 * How probable it is that at least `after` of `ofAfter` happen by chance if both runs have the same rate (Fisher's exact test, one-sided).
 */
export function chanceOfMore(before: number, ofBefore: number, after: number, ofAfter: number): number {
  const all = before + after;
  const logChoose = (n: number, k: number) => {
    let sum = 0;
    for (let each = 1; each <= k; each++) sum += Math.log((n - k + each) / each);
    return sum;
  };
  const total = logChoose(ofBefore + ofAfter, all);
  let chance = 0;
  for (let count = after; count <= Math.min(all, ofAfter); count++)
    if (all - count <= ofBefore)
      chance += Math.exp(logChoose(ofAfter, count) + logChoose(ofBefore, all - count) - total);
  return chance;
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
export function summarize(samples: readonly number[], confidence: number): Distribution | undefined {
  if (samples.length === 0) return undefined;
  const sorted = sortedCopy(samples);
  const at = (share: number) => quantile(sorted, share);
  const intervals = Object.entries(shares).flatMap(([name, share]) => {
    const interval = quantileInterval(samples, share, confidence);
    return interval ? [[name, interval]] : [];
  });
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
export interface LinearFit {
  readonly base: number;
  readonly slope: number;
  readonly r2: number;
}

/** Fits a line by least squares. Undefined if there are fewer than three points. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): LinearFit | undefined {
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

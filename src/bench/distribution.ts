/** Figures of one phase over all crashes, in milliseconds. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p90: number;
  readonly worst: number;
}

/** Undefined where there is no sample. Percentiles are nearest-rank: each is a value that was measured. */
export function distributionOf(samples: readonly number[]): Distribution | undefined {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  if (sorted.length === 0) return undefined;
  return { count: sorted.length, min: rank(0), median: rank(0.5), p90: rank(0.9), worst: rank(1) };
}

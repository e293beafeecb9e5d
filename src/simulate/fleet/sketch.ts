const bucketsPerOctave = 128;
/** A microsecond, in milliseconds; smaller values count as this. */
const smallest = 2 ** -10;
/** About two years. */
const largest = 2 ** 36;

/**
 * Counts values of any number in logarithmic buckets, so that a quantile is within 0.3 % of the true one. Its size does not grow.
 * Why it is ours: docs/adr/0046.
 */
export class Sketch {
  readonly #buckets = new Float64Array(Math.log2(largest / smallest) * bucketsPerOctave + 1);
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #max = 0;

  add(value: number, times = 1): void {
    if (times <= 0) return;
    this.#count += times;
    this.#sum += value * times;
    if (value > this.#max) this.#max = value;
    if (value <= 0) {
      this.#zeros += times;
      return;
    }
    const bucket = bucketFor(value);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + times;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  get max(): number {
    return this.#max;
  }

  /** By nearest rank. NaN if there are no values. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    let left = Math.min(this.#count, Math.max(1, Math.ceil(share * this.#count))) - this.#zeros;
    if (left <= 0) return 0;
    if (left + this.#zeros >= this.#count) return this.#max;
    const bucket = this.#buckets.findIndex((times) => {
      left -= times;
      return left <= 0;
    });
    return Math.min(this.#max, middleOf(bucket));
  }

  /** The share of values above a limit, by buckets. */
  shareAbove(limit: number): number {
    const first = limit <= 0 ? 0 : bucketFor(limit) + 1;
    let above = 0;
    for (let bucket = first; bucket < this.#buckets.length; bucket++) above += this.#buckets[bucket] ?? 0;
    return this.#count === 0 ? 0 : above / this.#count;
  }
}

function bucketFor(value: number): number {
  const octaves = Math.log2(Math.min(largest, Math.max(smallest, value)) / smallest);
  return Math.round(octaves * bucketsPerOctave);
}

function middleOf(bucket: number): number {
  return smallest * 2 ** (bucket / bucketsPerOctave);
}

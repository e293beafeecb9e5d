import { seededRandom } from '../../../reports/bench/statistics.ts';
import type { Spread } from './fleet-file.ts';

/** The 99th percentile of the standard normal distribution. */
const normalP99 = 2.326_347_874;

/** Random durations in milliseconds. The same seed and stream give the same numbers, whatever else is drawn. */
export class Draws {
  readonly #random: () => number;

  /** `stream`: numbers that identify what the draws are for, such as a node and a dataset. */
  constructor(seed: number, ...stream: readonly number[]) {
    this.#random = seededRandom(stream.reduce(mix, seed));
  }

  /** In [0, 1). */
  share(): number {
    return this.#random();
  }

  exponential(mean: number): number {
    return -mean * Math.log1p(-this.#random());
  }

  logNormal({ median, p99 }: Spread): number {
    const normal = Math.sqrt(-2 * Math.log1p(-this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return median * (p99 / median) ** (normal / normalP99);
  }
}

/** Murmur's finalizer over both numbers: streams with neighbouring numbers are unrelated. */
function mix(seed: number, part: number): number {
  let mixed = Math.imul(seed ^ Math.imul(part + 1, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

import type { ApiRate, Quantiles } from '../../../reports/fleet/record.ts';
import { Sketch } from './sketch.ts';

const chunkSeconds = 256;
const weekSeconds = 7 * 86_400;

/** Counts in each second of a forecast. Seconds in which nothing happens take no memory, others four bytes. */
export class SecondCounts {
  readonly #seconds: number;
  readonly #chunks: (Float32Array | undefined)[];

  constructor(seconds: number) {
    this.#seconds = seconds;
    this.#chunks = Array.from({ length: Math.ceil(seconds / chunkSeconds) });
  }

  /** `at`: milliseconds since the forecast began; ignored beyond its end. */
  add(at: number, count: number): void {
    const second = Math.floor(at / 1000);
    if (second >= this.#seconds || count === 0) return;
    const index = Math.floor(second / chunkSeconds);
    let chunk = this.#chunks[index];
    if (chunk === undefined) {
      chunk = new Float32Array(chunkSeconds);
      this.#chunks[index] = chunk;
    }
    const place = second % chunkSeconds;
    chunk[place] = (chunk[place] ?? 0) + count;
  }

  /** The distribution over all seconds, with `atRest` in each of them in addition. */
  rate(atRest: number): ApiRate {
    const sketch = new Sketch();
    const busiest = Array.from({ length: Math.ceil(this.#seconds / weekSeconds) }, () => atRest);
    let total = 0;
    for (const [index, chunk] of this.#chunks.entries()) {
      if (chunk === undefined) continue;
      for (let place = 0; place < chunk.length; place++) {
        const count = chunk[place] ?? 0;
        if (count === 0) continue;
        total += count;
        sketch.add(count + atRest);
        const week = Math.floor((index * chunkSeconds + place) / weekSeconds);
        busiest[week] = Math.max(busiest[week] ?? 0, count + atRest);
      }
    }
    sketch.add(atRest, this.#seconds - sketch.count);
    return { ...quantilesOf(sketch), total, busiest };
  }
}

export function quantilesOf(sketch: Sketch): Quantiles {
  const at = (share: number) => sketch.quantile(share);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), p9999: at(0.9999), max: sketch.max };
}

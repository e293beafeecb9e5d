/** A series as far as its time goes. */
export interface Planned {
  readonly crashes: number;
  /** What a crash is thought to take until one was seen, in milliseconds. */
  readonly guessMs: number;
}

/** How long a run of several series still takes, from the crashes that were seen. */
export class Estimate {
  readonly #plans: readonly Planned[];
  readonly #seen: { count: number; totalMs: number }[];

  constructor(plans: readonly Planned[]) {
    this.#plans = plans;
    this.#seen = plans.map(() => ({ count: 0, totalMs: 0 }));
  }

  /** A crash of a series took so long, from the end of the one before. */
  crashed(series: number, tookMs: number): void {
    const seen = this.#seen[series];
    if (!seen) return;
    seen.count++;
    seen.totalMs += tookMs;
  }

  get leftMs(): number {
    return this.#plans.reduce((sum, { crashes, guessMs }, index) => {
      const { count, totalMs } = this.#seen[index] ?? { count: 0, totalMs: 0 };
      return sum + Math.max(0, crashes - count) * (count > 0 ? totalMs / count : guessMs);
    }, 0);
  }

  /** Crashes so far, and in all. */
  get done(): readonly [number, number] {
    const count = this.#seen.reduce((sum, seen) => sum + seen.count, 0);
    return [count, this.#plans.reduce((sum, { crashes }) => sum + crashes, 0)];
  }
}

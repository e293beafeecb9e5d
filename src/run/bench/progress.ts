import { formatNs } from '../../timeline/duration.ts';
import type { SeriesPlan } from './series.ts';

/** A series, for the estimate of its duration. */
export interface Planned {
  readonly crashes: number;
  /** Assumed duration of a crash until one was measured. */
  readonly guessMs: number;
}

/** Estimates the remaining time of a run from the durations of its crashes so far. */
export class Estimate {
  readonly #plans: readonly Planned[];
  readonly #seen: { count: number; totalMs: number }[];

  constructor(plans: readonly Planned[]) {
    this.#plans = plans;
    this.#seen = plans.map(() => ({ count: 0, totalMs: 0 }));
  }

  /** Records the duration of a crash, from the end of the one before. */
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

  /** Number of crashes so far, and in total. */
  get done(): readonly [number, number] {
    const count = this.#seen.reduce((sum, seen) => sum + seen.count, 0);
    return [count, this.#plans.reduce((sum, { crashes }) => sum + crashes, 0)];
  }
}

const reportEveryMs = 5_000;
/** A daemon's start and the time until it is steady, without pauses; with a real kubelet, also a new FUSE pod. */
const guessMs = { sandbox: 600, kubernetes: 8_000 } as const;

export function progressOf(
  plans: readonly SeriesPlan[],
  { tell, place }: { readonly tell: (line: string) => void; readonly place: string },
) {
  const estimate = new Estimate(
    plans.map(({ arm, inSandbox }) => ({
      crashes: arm.warmUp + arm.crashes,
      guessMs:
        (place === 'sandbox' || inSandbox ? guessMs.sandbox : guessMs.kubernetes) +
        arm.pacingMs +
        (arm.name === 'poll' ? arm.pacingMs : 0) +
        (arm.acts === 'nobody' ? arm.deadlineMs : 0),
    })),
  );
  let last = performance.now();
  let reportedAt = last;
  return {
    begins(index: number) {
      const { id, arm } = plans[index] ?? {};
      tell(`${id}: ${arm?.title}; about ${formatNs(estimate.leftMs * 1e6)} left`);
      last = performance.now();
    },
    crashed(index: number) {
      const now = performance.now();
      estimate.crashed(index, now - last);
      last = now;
      if (now - reportedAt < reportEveryMs) return;
      reportedAt = now;
      const [done, all] = estimate.done;
      tell(`${plans[index]?.id}: ${done} of ${all} crashes; about ${formatNs(estimate.leftMs * 1e6)} left`);
    },
  };
}

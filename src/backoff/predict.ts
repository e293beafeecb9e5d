/**
 * When the kubelet starts a container again, from its source (`pkg/kubelet/kubelet.go`: `initialCrashLoopBackOff`,
 * `MaxCrashLoopBackOff`; client-go `flowcontrol.Backoff` without jitter; reset by `HasExpiredFunc`, FinishedAt − last
 * update > 600 s since 1.32 and twice the maximum before, which is the same). Any exit counts, whatever its status. Says
 * nothing about images, probes or a kubelet that was itself started again. Milliseconds of the kubelet's clock.
 */
export interface BackoffRules {
  readonly initialMs: number;
  readonly maximumMs: number;
  readonly resetAfterMs: number;
}

export const kubeletRules: BackoffRules = { initialMs: 10_000, maximumMs: 300_000, resetAfterMs: 600_000 };

/** One time that the container ended and was started again, as it was seen. */
export interface SeenRestart {
  readonly finishedAt: number;
  readonly startedAt: number;
}

/** Why the delay is what it is. */
export type Because = 'first' | 'doubled' | 'capped' | 'reset';

export interface Prediction {
  readonly delayMs: number;
  readonly because: Because;
}

/**
 * The delay before the next start of a container that ends at `finishedAt`; `restarts` are those before, oldest first. The
 * time of a start stands for the time at which the kubelet allowed it, which cannot be seen and is slightly earlier.
 */
export function predictDelay(
  restarts: readonly SeenRestart[],
  finishedAt: number,
  { initialMs, maximumMs, resetAfterMs }: BackoffRules = kubeletRules,
): Prediction {
  const last = restarts.at(-1);
  if (last === undefined) return { delayMs: 0, because: 'first' };
  const ends = [...restarts.map((restart) => restart.finishedAt), finishedAt];
  const isReset = (index: number) => (ends[index] ?? 0) - (restarts[index - 1]?.startedAt ?? 0) > resetAfterMs;
  // Restarts since the series began: at the first exit, or at the last one after a long run.
  const series =
    ends.length -
    1 -
    Math.max(
      0,
      ends.findLastIndex((_, index) => index > 0 && isReset(index)),
    );
  if (series === 0) return { delayMs: 0, because: 'reset' };
  const doubled = initialMs * 2 ** (series - 1);
  return doubled > maximumMs ? { delayMs: maximumMs, because: 'capped' } : { delayMs: doubled, because: 'doubled' };
}

import type { BackoffRow, HistoryEvent } from './timeline/record.ts';

/**
 * When the kubelet starts a container again, from its source (`pkg/kubelet/kubelet.go`: `initialCrashLoopBackOff`,
 * `MaxCrashLoopBackOff`; client-go `flowcontrol.Backoff` without jitter; reset by `HasExpiredFunc`, FinishedAt − last
 * update > 600 s since 1.32 and twice the maximum before, which is the same). Any exit counts, whatever its status. Does
 * not cover images, probes or restarts of the kubelet. Milliseconds of the kubelet's clock.
 */
export interface BackoffRules {
  readonly initialMs: number;
  readonly maximumMs: number;
  readonly resetAfterMs: number;
}

export const kubeletRules: BackoffRules = { initialMs: 10_000, maximumMs: 300_000, resetAfterMs: 600_000 };

/** An observed end and restart of a container. */
export interface SeenRestart {
  readonly finishedAt: number;
  readonly startedAt: number;
}

/** The rule that decided a delay. */
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

/** A restart in a history, with the kubelet's announcement. */
export interface RecordedRestart extends SeenRestart {
  /** Back-off in the kubelet's message; absent if there was none. */
  readonly announcedMs?: number;
  /** The same moments in nanoseconds of the history's own clock. */
  readonly exitedAt: number;
  readonly restartedAt: number;
}

/**
 * All restarts of a container, oldest first. An end without a restart is omitted.
 * `container`: `<namespace>/<pod>/<container>`.
 */
export function seenRestarts(
  history: readonly HistoryEvent[],
  { container, clockScale }: { readonly container: string; readonly clockScale: number },
): readonly RecordedRestart[] {
  const kubeletMs = (ns: number) => (ns / 1e6) * clockScale;
  const restarts: RecordedRestart[] = [];
  let exitedAt: number | undefined;
  let announcedNs: number | undefined;
  for (const event of history.toSorted((a, b) => a.at - b.at)) {
    if (event.kind === 'kubelet' && event.event === 'restart-scheduled') {
      if (`${event.pod}/${event.container}` === container) announcedNs = event.delayNs;
    }
    if (event.kind !== 'process' || event.name !== container) continue;
    if (event.change === 'exited') exitedAt = event.at;
    if (event.change !== 'started' || exitedAt === undefined) continue;
    restarts.push({
      finishedAt: kubeletMs(exitedAt),
      startedAt: kubeletMs(event.at),
      exitedAt,
      restartedAt: event.at,
      ...(announcedNs !== undefined && { announcedMs: announcedNs / 1e6 }),
    });
    exitedAt = undefined;
    announcedNs = undefined;
  }
  return restarts;
}

/** A prediction made before a crash. */
export interface DelayExpectation extends Prediction {
  /** How long the container had run, in milliseconds of the kubelet's clock. */
  readonly ranMs: number;
}

export interface RowsOptions {
  /** `<namespace>/<pod>/<container>` of the daemon. */
  readonly container: string;
  readonly clockScale: number;
  /** Predictions, one for each crash, in order. */
  readonly expected: readonly DelayExpectation[];
  /** Times of each crash and of the first good read after it, in the history's nanoseconds. */
  readonly outages: readonly { readonly crash: number; readonly readable?: number }[];
}

/** Predicted and observed delays, a row for each crash. */
export function backoffRows(history: readonly HistoryEvent[], options: RowsOptions): readonly BackoffRow[] {
  const { container, clockScale, expected, outages } = options;
  const seen = seenRestarts(history, { container, clockScale });
  return expected.map(({ delayMs, because, ranMs }, index) => {
    const restart = seen[index];
    const outage = outages[index];
    const readable = outage?.readable;
    return {
      crash: index + 1,
      ranMs,
      because,
      predictedMs: delayMs,
      ...(restart && { observedMs: restart.startedAt - restart.finishedAt }),
      ...(restart?.announcedMs !== undefined && { announcedMs: restart.announcedMs }),
      ...(restart && outage && { waitingNs: restart.restartedAt - outage.crash }),
      ...(restart && readable !== undefined && { recoveryNs: readable - restart.restartedAt }),
    };
  });
}

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

/** What the kubelet remembers of a container that it has restarted before. */
export interface BackoffMemory {
  /** Restarts since the series began: at the first exit, or at the last one after a long run. */
  readonly restarts: number;
  /** Start of the present run. */
  readonly startedAt: number;
}

/** The delay before the next start of a container that ends at `finishedAt`. */
export function nextDelay(
  memory: BackoffMemory | undefined,
  finishedAt: number,
  rules: BackoffRules = kubeletRules,
): Prediction {
  const restarts = restartsInSeries(memory, finishedAt, rules);
  if (restarts === 0) return { delayMs: 0, because: memory === undefined ? 'first' : 'reset' };
  const doubled = rules.initialMs * 2 ** (restarts - 1);
  return doubled > rules.maximumMs
    ? { delayMs: rules.maximumMs, because: 'capped' }
    : { delayMs: doubled, because: 'doubled' };
}

/**
 * What the kubelet remembers after a restart. The time of a start stands for the time at which the kubelet allowed it, which
 * cannot be seen and is slightly earlier.
 */
export function rememberRestart(
  memory: BackoffMemory | undefined,
  { finishedAt, startedAt }: SeenRestart,
  rules: BackoffRules = kubeletRules,
): BackoffMemory {
  return { restarts: restartsInSeries(memory, finishedAt, rules) + 1, startedAt };
}

function restartsInSeries(
  memory: BackoffMemory | undefined,
  finishedAt: number,
  { resetAfterMs }: BackoffRules,
): number {
  return memory === undefined || finishedAt - memory.startedAt > resetAfterMs ? 0 : memory.restarts;
}

/** The delay after `restarts`, oldest first. */
export function predictDelay(
  restarts: readonly SeenRestart[],
  finishedAt: number,
  rules: BackoffRules = kubeletRules,
): Prediction {
  let memory: BackoffMemory | undefined;
  for (const restart of restarts) memory = rememberRestart(memory, restart, rules);
  return nextDelay(memory, finishedAt, rules);
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
    const [before, delayBefore] = [seen[index - 1], expected[index - 1]?.delayMs];
    return {
      crash: index + 1,
      ranMs,
      because,
      predictedMs: delayMs,
      ...(restart &&
        before &&
        delayBefore !== undefined && { ranAtMostMs: restart.startedAt - before.finishedAt - delayBefore }),
      ...(restart && { observedMs: restart.startedAt - restart.finishedAt }),
      ...(restart?.announcedMs !== undefined && { announcedMs: restart.announcedMs }),
      ...(restart && outage && { waitingNs: restart.restartedAt - outage.crash }),
      ...(restart && readable !== undefined && { recoveryNs: readable - restart.restartedAt }),
    };
  });
}

import type { BackoffRow, HistoryEvent } from '../timeline/record.ts';
import type { Prediction } from './predict.ts';
import { seenRestarts } from './seen-restarts.ts';

/** What was expected of a crash before it was made. */
export interface Expectation extends Prediction {
  /** How long the container had run when it was expected, in milliseconds of the kubelet's clock. */
  readonly ranMs: number;
}

export interface RowsOptions {
  /** `<namespace>/<pod>/<container>` of the daemon. */
  readonly container: string;
  readonly clockScale: number;
  /** One for each crash, in order. */
  readonly expected: readonly Expectation[];
  /** For each crash, when it was made and when the pod read again, in the history's nanoseconds. */
  readonly outages: readonly { readonly crash: number; readonly readable?: number }[];
}

/** Expected and observed side by side, a row for each crash. */
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

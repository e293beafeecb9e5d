import { formatNs } from '../src/timeline/duration.ts';
import type { BackoffRow } from '../src/timeline/record.ts';

/** A crash loop's table: predicted and observed delays of the kubelet side by side. Pure text, for HTML and Markdown. */
export interface BackoffTable {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const reasons: Readonly<Record<BackoffRow['because'], string>> = {
  first: 'first restart',
  doubled: 'doubled',
  capped: 'cap reached',
  reset: 'reset after a long run',
};

export function backoffTable(rows: readonly BackoffRow[], clockScale: number): BackoffTable {
  const clock =
    clockScale === 1
      ? 'Nothing is scaled.'
      : `The kubelet’s clock is scaled: ${clockScale} s of it pass in each real second, so each real millisecond of a busy machine counts as ${clockScale / 1000} s of difference. Outages are in real time.`;
  return {
    caption: `When the kubelet starts the daemon again, predicted from its source before each crash, and observed. ${clock}`,
    head: ['Crash', 'Ran', 'Why', 'Predicted', 'Observed', 'Difference', 'Outage: for the kubelet', 'Outage: recovery'],
    rows: rows.map(({ crash, ranMs, because, predictedMs, observedMs, waitingNs, recoveryNs }) => [
      String(crash),
      seconds(ranMs),
      reasons[because],
      seconds(predictedMs),
      observedMs === undefined ? '' : seconds(observedMs),
      observedMs === undefined ? '' : `+${seconds(observedMs - predictedMs)}`.replace('+-', '−'),
      waitingNs === undefined ? '' : formatNs(waitingNs),
      recoveryNs === undefined ? '' : formatNs(recoveryNs),
    ]),
  };
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

import { kubeletRules } from '../backoff.ts';
import { formatNs } from '../timeline/duration.ts';
import type { BackoffRow } from '../timeline/record.ts';
import { defineCheck, fail, inconclusive, miss, pass, tooShort } from './check.ts';

/** Clocks of the exit and of the start are read in different processes. */
const tolerance = 0.99;

/**
 * The kubelet announces each delay as predicted and does not start the container earlier. A late start is accepted: a busy
 * machine and the kubelet's own rounds (up to half as much and 15 s more) delay it. `required`: kinds of delays that the
 * crashes had to bring about.
 */
export const growsAsPredicted = defineCheck(
  { name: 'the kubelet’s delays are as predicted', claims: ['L5'] },
  (rows: readonly BackoffRow[], { required = [] }: { readonly required?: readonly BackoffRow['because'][] } = {}) => {
    const longest = Math.max(0, ...rows.map(({ predictedMs }) => predictedMs));
    const unseen = rows.find(({ observedMs }) => observedMs === undefined);
    if (rows.length === 0 || unseen) return inconclusive(`crash ${unseen?.crash ?? 1} was followed by no restart`);
    for (const { crash, ranMs, ranAtMostMs = ranMs, predictedMs, announcedMs, observedMs = 0 } of rows) {
      const isAnnouncedOtherwise = announcedMs !== undefined && announcedMs !== predictedMs;
      if (!isAnnouncedOtherwise && observedMs >= predictedMs * tolerance) continue;
      const found = isAnnouncedOtherwise
        ? `${seconds(announcedMs)} announced`
        : `started again after ${seconds(observedMs)} already`;
      const sentence = `crash ${crash}: ${seconds(predictedMs)} predicted, ${found}`;
      const [least, most] = [seconds(ranMs), seconds(ranAtMostMs)];
      return ranMs <= kubeletRules.resetAfterMs && ranAtMostMs > kubeletRules.resetAfterMs
        ? tooShort(`${sentence}: the container had run for ${least} to ${most}, and the kubelet may have forgotten`)
        : fail(sentence);
    }
    const missing = required.find((because) => !rows.some((row) => row.because === because));
    if (missing !== undefined) return tooShort(`no delay after any of the crashes was ${missing}`);
    const late = Math.max(...rows.map(({ predictedMs, observedMs = 0 }) => observedMs - predictedMs));
    return pass(
      `${rows.length} delays from ${seconds(rows[0]?.predictedMs ?? 0)} to ${seconds(longest)} as predicted, none more than ${seconds(late)} later`,
    );
  },
);

/** The pod reads again after each crash, never before the daemon is restarted, and last where the kubelet waits longest. */
export const recoveryWaitsForRestart = defineCheck(
  { name: 'the recovery comes later as the kubelet waits longer', claims: ['L5'] },
  (rows: readonly BackoffRow[]) => {
    const outages: { readonly crash: number; readonly predictedMs: number; readonly outageNs: number }[] = [];
    for (const { crash, predictedMs, waitingNs, recoveryNs } of rows) {
      if (waitingNs === undefined || recoveryNs === undefined)
        return fail(`the pod did not read again after crash ${crash}`);
      if (recoveryNs < 0) return fail(`after crash ${crash} the pod read before the daemon was restarted`);
      outages.push({ crash, predictedMs, outageNs: waitingNs + recoveryNs });
    }
    const byDelay = outages.toSorted((a, b) => a.predictedMs - b.predictedMs);
    const [shortest, longest] = [byDelay[0], byDelay.at(-1)];
    if (shortest === undefined || longest === undefined || shortest.predictedMs === longest.predictedMs)
      return inconclusive('the kubelet waited equally long after all crashes');
    const format = ({ crash, predictedMs, outageNs }: typeof shortest) =>
      `${formatNs(outageNs)} of outage after crash ${crash} with a delay of ${seconds(predictedMs)}`;
    const sentence = `${format(shortest)}, ${format(longest)}`;
    return longest.outageNs > shortest.outageNs ? pass(sentence) : miss(sentence);
  },
);

const seconds = (ms: number) => `${Number((ms / 1000).toFixed(1))} s`;

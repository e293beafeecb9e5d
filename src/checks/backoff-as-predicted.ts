import type { BackoffRow, CheckRecord } from '../timeline/record.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

/**
 * The kubelet announced each delay as it had been expected, and did not start the container before it was over. Later is
 * not judged: a busy machine, and the kubelet's own rounds (up to half as much and 15 s more), make it later.
 */
export function growsAsPredicted(
  rows: readonly BackoffRow[],
  { shows = [] }: { readonly shows?: readonly BackoffRow['because'][] } = {},
): CheckRecord {
  return concluded({ name: 'the kubelet’s delays are as predicted', claims: ['L5'] }, judge(rows, shows));
}

/** Clocks of the exit and of the start are read in different places. */
const tolerance = 0.99;

function judge(rows: readonly BackoffRow[], shows: readonly BackoffRow['because'][]): Finding {
  const longest = Math.max(0, ...rows.map(({ predictedMs }) => predictedMs));
  const unseen = rows.find(({ observedMs }) => observedMs === undefined);
  if (rows.length === 0 || unseen) return inconclusive(`crash ${unseen?.crash ?? 1} was followed by no restart`);
  for (const { crash, predictedMs, announcedMs, observedMs = 0 } of rows) {
    const what = `crash ${crash}: ${seconds(predictedMs)} predicted`;
    if (announcedMs !== undefined && announcedMs !== predictedMs)
      return fail(`${what}, ${seconds(announcedMs)} announced`);
    if (observedMs < predictedMs * tolerance)
      return fail(`${what}, started again after ${seconds(observedMs)} already`);
  }
  const missing = shows.find((because) => !rows.some((row) => row.because === because));
  if (missing !== undefined) return inconclusive(`the crashes were such that no delay was ${missing}`);
  const late = Math.max(...rows.map(({ predictedMs, observedMs = 0 }) => observedMs - predictedMs));
  return pass(
    `${rows.length} delays from ${seconds(rows[0]?.predictedMs ?? 0)} to ${seconds(longest)} as predicted, none more than ${seconds(late)} later`,
  );
}

const seconds = (ms: number) => `${Number((ms / 1000).toFixed(1))} s`;

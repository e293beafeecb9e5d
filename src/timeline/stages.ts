import type { Recovery } from './record.ts';

/** The moments of a recovery in their usual order. The agent replaces mounts in containers before those on the node. */
export const moments = [
  'crash',
  'firstError',
  'noticed',
  'daemonReady',
  'replacedInPod',
  'readable',
  'replacedOnNode',
  'verified',
] as const;

export type Moment = (typeof moments)[number];

/** The names of the moments in reports. */
export const momentNames: Readonly<Record<Moment, string>> = {
  crash: 'crash',
  firstError: 'first error in the pod',
  noticed: 'noticed by the agent',
  daemonReady: 'daemon back',
  replacedInPod: 'mounted in the pod',
  readable: 'readable in the pod',
  replacedOnNode: 'mounted on the node',
  verified: 'verified by the agent',
};

/** The time from one moment to another, which runs are compared by. `name` is the label in metrics. */
export interface Stage {
  readonly name: string;
  readonly from: Moment;
  readonly to: Moment;
}

export const stages: readonly Stage[] = [
  { name: 'first-error', from: 'crash', to: 'firstError' },
  { name: 'noticed', from: 'crash', to: 'noticed' },
  { name: 'daemon', from: 'crash', to: 'daemonReady' },
  { name: 'node', from: 'daemonReady', to: 'replacedOnNode' },
  { name: 'pod', from: 'daemonReady', to: 'replacedInPod' },
  { name: 'read', from: 'replacedInPod', to: 'readable' },
  { name: 'verify', from: 'replacedInPod', to: 'verified' },
  { name: 'ready-to-readable', from: 'daemonReady', to: 'readable' },
  { name: 'outage', from: 'crash', to: 'readable' },
];

/** A pod that reads so long before its daemon is back did not wait for it: a standby served it. */
const failoverNs = 50e6;

/**
 * The duration of a stage in nanoseconds; undefined if one of its ends is missing, or if it begins with a return of the daemon that the pod
 * did not wait for. Below zero if one observer saw the effect before another recorded its cause: the agent writes its log line after the
 * call, so the pod may read before that.
 */
export function stageNs(recovery: Recovery, { from, to }: Stage): number | undefined {
  const { daemonReady, readable } = recovery;
  const isFailover = daemonReady !== undefined && readable !== undefined && readable < daemonReady - failoverNs;
  if (isFailover && from === 'daemonReady') return undefined;
  const began = recovery[from];
  const ended = recovery[to];
  return began === undefined || ended === undefined ? undefined : ended - began;
}

export interface StageSummary {
  readonly stage: Stage;
  readonly count: number;
  readonly medianNs: number;
  readonly worstNs: number;
}

/** Median and worst of each stage that happened at least once. */
export function summarizeStages(recoveries: readonly Recovery[]): StageSummary[] {
  return stages.flatMap((stage) => {
    const took = recoveries.flatMap((recovery) => stageNs(recovery, stage) ?? []).sort((a, b) => a - b);
    const worstNs = took.at(-1);
    return worstNs === undefined ? [] : [{ stage, count: took.length, medianNs: medianOf(took), worstNs }];
  });
}

/** Median of a sorted list; NaN of an empty one. */
export function medianOf(sorted: readonly number[]): number {
  const high = sorted[sorted.length >> 1] ?? Number.NaN;
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (low + high) / 2;
}

/** One recovery as a waterfall: its moments in order of time, each with the time since the one before. */
export function waterfallOf(
  recovery: Recovery,
): { readonly moment: Moment; readonly at: number; readonly sinceCrash: number; readonly sinceBefore: number }[] {
  const known = moments
    .flatMap((moment) => {
      const at = recovery[moment];
      return at === undefined ? [] : [{ moment, at }];
    })
    .sort((a, b) => a.at - b.at);
  return known.map(({ moment, at }, i) => ({
    moment,
    at,
    sinceCrash: at - recovery.crash,
    sinceBefore: at - (known[i - 1]?.at ?? at),
  }));
}

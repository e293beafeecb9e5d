import { formatMs } from './format.ts';
import type { BenchCrash, BenchMoment, BenchSeries } from './record.ts';

/** The time between two moments of a crash. */
export interface BenchPhase {
  /** The name in `--budget` and in `bench.json`. */
  readonly name: string;
  readonly says: string;
  /** Absent: the crash. */
  readonly from?: BenchMoment;
  readonly to: BenchMoment;
  /** The phase depends on the agent, so it counts for a comparison's verdict. Others depend on kubelet, daemon and machine. */
  readonly byAgent?: true;
}

export const benchPhases: readonly BenchPhase[] = [
  { name: 'first-error', says: 'crash → first error in the pod', to: 'firstError' },
  { name: 'noticed', says: 'crash → noticed by the agent', to: 'noticed' },
  { name: 'kubelet', says: 'crash → its container runs again (kubelet)', to: 'daemonStarted' },
  { name: 'daemon-start', says: 'its container runs → daemon ready', from: 'daemonStarted', to: 'daemonReady' },
  { name: 'daemon', says: 'crash → daemon restarted', to: 'daemonReady' },
  { name: 'mount', says: 'crash → its mount visible on the node', to: 'mountVisible' },
  {
    name: 'node',
    says: 'daemon restarted → replaced on the node',
    from: 'daemonReady',
    to: 'replacedOnNode',
    byAgent: true,
  },
  {
    name: 'pod',
    says: 'daemon restarted → replaced in the pod',
    from: 'daemonReady',
    to: 'replacedInPod',
    byAgent: true,
  },
  {
    name: 'read',
    says: 'replaced in the pod → first good read',
    from: 'replacedInPod',
    to: 'readable',
    byAgent: true,
  },
  { name: 'steady', says: 'first good read → steady', from: 'readable', to: 'steady' },
  {
    name: 'verify',
    says: 'replaced in the pod → agent says recovered',
    from: 'replacedInPod',
    to: 'verified',
    byAgent: true,
  },
  {
    name: 'ready-to-readable',
    says: 'daemon restarted → first good read',
    from: 'daemonReady',
    to: 'readable',
    byAgent: true,
  },
  {
    name: 'last-pod',
    says: 'daemon restarted → last pod reads',
    from: 'daemonReady',
    to: 'lastReadable',
    byAgent: true,
  },
  { name: 'outage', says: 'crash → first good read', to: 'readable' },
];

/**
 * The phases of a failover, which does not wait for the daemon: its own death, and what follows. The connection has ended with the pod's
 * first error or the end of the daemon's process, whichever is seen first.
 */
export const failoverPhases: readonly BenchPhase[] = [
  { name: 'death', says: 'crash → end of the connection', to: 'connectionEnded' },
  { name: 'failover', says: 'end of the connection → first good read', from: 'connectionEnded', to: 'readable' },
];

/** The default phase of a budget, and the phases of which ratios are shown. */
export const headline = { agent: 'ready-to-readable', whole: 'outage' } as const;

/**
 * Duration of a phase in nanoseconds; undefined if one of its ends is missing. Negative if the clocks of two observers disagree, or if
 * one saw an effect before the other recorded its cause (`clockDisagreements`).
 */
export function phaseNs({ moments }: BenchCrash, { from, to }: BenchPhase): number | undefined {
  const began = from === undefined ? 0 : moments[from];
  const ended = moments[to];
  return began === undefined || ended === undefined ? undefined : ended - began;
}

/** Durations of a phase in milliseconds, crash by crash, in order of time. */
export function phaseSamples(crashes: readonly BenchCrash[], phase: BenchPhase): readonly number[] {
  return crashes.flatMap((crash) => phaseNs(crash, phase) ?? []).map((nanoseconds) => nanoseconds / 1e6);
}

/** Whether the pod, and each of its siblings, read again before the deadline. */
export function isRecovered({ moments, podsLost = 0 }: BenchCrash): boolean {
  return moments.readable !== undefined && podsLost === 0;
}

/** One sentence for each phase that ended before it began after more than a share of the crashes. */
export function clockDisagreements({ crashes }: BenchSeries, share = 0): readonly string[] {
  return benchPhases.flatMap((phase) => {
    const samples = phaseSamples(crashes, phase);
    const negative = samples.filter((sample) => sample < 0);
    return negative.length <= share * samples.length
      ? []
      : `the clocks disagree: "${phase.says}" is negative after ${negative.length} of ${samples.length} crashes, by up to ${formatMs(-Math.min(...negative))} ms`;
  });
}

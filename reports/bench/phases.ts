import type { BenchCrash, BenchMoment } from './record.ts';

/** From one moment of a crash to another. */
export interface BenchPhase {
  /** As in `--budget` and in a comparison. */
  readonly name: string;
  readonly says: string;
  /** Absent: the crash. */
  readonly from?: BenchMoment;
  readonly to: BenchMoment;
  /** In the agent's hands: that is what a verdict is made of. The rest is the kubelet's, the daemon's and the machine's. */
  readonly byAgent?: true;
}

/** All phases. */
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

/** What a budget without a phase is about, and what ratios are made of. */
export const headline = { agent: 'ready-to-readable', whole: 'outage' } as const;

/**
 * How long a phase took, in nanoseconds; undefined where one of its ends is missing. Never below zero: who writes down a
 * moment may be later than who sees what comes of it.
 */
export function phaseNs({ moments }: BenchCrash, { from, to }: BenchPhase): number | undefined {
  const began = from === undefined ? 0 : moments[from];
  const ended = moments[to];
  return began === undefined || ended === undefined ? undefined : Math.max(0, ended - began);
}

/** Milliseconds of a phase, crash by crash, in the order in which they happened. */
export function phaseSamples(crashes: readonly BenchCrash[], phase: BenchPhase): readonly number[] {
  return crashes.flatMap((crash) => phaseNs(crash, phase) ?? []).map((nanoseconds) => nanoseconds / 1e6);
}

/** Whether the pod, and each of its siblings, read again before the deadline. */
export function isRecovered({ moments, podsLost = 0 }: BenchCrash): boolean {
  return moments.readable !== undefined && podsLost === 0;
}

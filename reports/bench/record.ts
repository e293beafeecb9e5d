import type { Fidelity, RunRecord } from '../../src/timeline/record.ts';

/** The content of `bench.json`: every sample, so that runs can be compared and figures computed later. */

export const benchSchema = 'rekindle.bench/1';

/** The measured moments of a crash, in the order of a successful recovery. */
export const benchMoments = [
  'firstError',
  'noticed',
  'daemonStarted',
  'daemonReady',
  'mountVisible',
  'replacedOnNode',
  'replacedInPod',
  'readable',
  'steady',
  'verified',
  'lastReadable',
] as const;

export type BenchMoment = (typeof benchMoments)[number];

/** The means of recovery: the agent under test, or a baseline. */
export type ArmName = 'agent' | 'rekindle' | 'poll' | 'restart' | 'nothing';

export interface BenchRecord {
  readonly schema: typeof benchSchema;
  readonly runId: string;
  readonly rekindle: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly seed: number;
  readonly cluster: string;
  readonly fidelity: Fidelity;
  readonly machine: RunRecord['machine'];
  /** Whether the run ended before everything was measured. */
  readonly interrupted: boolean;
  /** Names of the phases that this version measures; a comparison requires them to be equal. */
  readonly phases: readonly string[];
  readonly series: readonly BenchSeries[];
}

/** Conditions that all crashes of a series share. */
export interface Conditions {
  readonly fault: string;
  /** Pods of each dataset. */
  readonly pods: number;
  readonly datasets: number;
  /** Probe operations a second, in one pod of each dataset. */
  readonly rate: number;
  /** Mean of the random pauses from a steady pod to the next crash. */
  readonly pacingMs: number;
  /** CPU limit of the agent, in thousandths of a core. */
  readonly agentCpuMillis?: number;
  readonly kernelTier?: string;
  /** Each crash has a new FUSE pod, because a real kubelet delays the restart of one that crashed before. */
  readonly freshPods?: true;
}

/** Crashes under the same conditions, recovered by the same means. */
export interface BenchSeries {
  /** `pods=10/agent`: the varied condition, if any, and the arm. Equal in all runs of the same kind. */
  readonly id: string;
  readonly arm: ArmName;
  /** The means of recovery, in one line. */
  readonly title: string;
  readonly conditions: Conditions;
  /** Absent if it is that of the record. */
  readonly fidelity?: Fidelity;
  /** A foreign agent: its command, and the SHA-256 of each file that the command names. */
  readonly program?: {
    readonly command: string;
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  };
  /** The daemon does not report readiness, so it counts as ready at a later statfs of ours. */
  readonly readyBy?: 'statfs';
  /** Crashes before the first one that counts; their measurements are dropped. */
  readonly warmUp: number;
  readonly asked: number;
  /** How long to wait for the recovery from a crash. */
  readonly deadlineMs: number;
  /** Why there are fewer crashes than requested. */
  readonly stopped?: string;
  readonly crashes: readonly BenchCrash[];
  /** Lines in the mount tables of the node and the watched pods together. */
  readonly mountLines?: { readonly before: number; readonly after: number };
  /** Usage of the agent's process tree at the first crash that counts, and after the last one. */
  readonly agent?: { readonly first: AgentUsage; readonly last: AgentUsage; readonly overMs: number };
  readonly apiRequests?: ApiRequests;
}

/** The agent's API requests by its own count, such as `create events`. A watch counts once, whatever its duration. */
export interface ApiRequests {
  /** Sums over all counted crashes. */
  readonly during: Readonly<Record<string, number>>;
  readonly crashes: number;
  /** Requests at rest, over `overMs` milliseconds. */
  readonly idle?: { readonly during: Readonly<Record<string, number>>; readonly overMs: number };
}

export interface AgentUsage {
  readonly anonymousBytes: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
  readonly processes: number;
}

/** One crash as seen by one pod. A crash of several datasets yields one for each. */
export interface BenchCrash {
  /** Number from 1, equal for all pods that the crash affected. */
  readonly crash: number;
  /** `<namespace>/<pod>`. */
  readonly pod: string;
  /** Nanoseconds since the crash. A moment that did not happen or was not observed is absent. */
  readonly moments: Readonly<Partial<Record<BenchMoment, number>>>;
  /** Failed operations by errno; `HANG` counts those that never returned. */
  readonly errors: Readonly<Record<string, number>>;
  /** Operations, failed ones included, that returned more than 10 ms after their scheduled time, until the pod was steady. */
  readonly late: number;
  /** Number of pods that had not read again before the deadline. */
  readonly podsLost?: number;
  readonly longestStallNs: number;
}

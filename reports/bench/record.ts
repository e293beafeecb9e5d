import type { Fidelity, RunRecord } from '../../src/timeline/record.ts';

/** What `rekindle bench` leaves in `bench.json`: every sample, so that runs can be compared and figures made again. */

export const benchSchema = 'rekindle.bench/1';

/** The moments of a crash that are measured, in the order in which they come when all goes well. */
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

/** What brings the data back: the agent under test, or what it is measured against. */
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
  /** Ended before all was measured. */
  readonly interrupted: boolean;
  /** Names of the phases that this version knows: what a comparison goes by. */
  readonly phases: readonly string[];
  readonly series: readonly BenchSeries[];
}

/** What all crashes of a series have in common. */
export interface Conditions {
  readonly fault: string;
  /** Of each dataset. */
  readonly pods: number;
  readonly datasets: number;
  /** Probe operations a second, in one pod of each dataset. */
  readonly rate: number;
  /** Mean of the pauses between the pod's being steady and the next crash, in milliseconds; each is drawn anew. */
  readonly pacingMs: number;
  /** CPU that the agent was held to, in thousandths of a core. */
  readonly agentCpuMillis?: number;
  readonly kernelTier?: string;
  /** A FUSE pod that never crashed before each crash: a real kubelet makes one wait that did. */
  readonly freshPods?: true;
}

/** Crashes under the same conditions, recovered by the same means. */
export interface BenchSeries {
  /** `pods=10/agent`: the condition that was varied, where one was, and the arm. The same in every run of the same kind. */
  readonly id: string;
  readonly arm: ArmName;
  /** One line: what brings the data back. */
  readonly title: string;
  readonly conditions: Conditions;
  /** Where it was measured, where that is not the record's place. */
  readonly fidelity?: Fidelity;
  /** A foreign agent: the command, and SHA-256 of each file that it names. */
  readonly program?: {
    readonly command: string;
    readonly files: readonly { readonly path: string; readonly sha256: string }[];
  };
  /** Crashes before the first that counts; what they measured is thrown away. */
  readonly warmUp: number;
  readonly asked: number;
  /** How long a crash is waited for, in milliseconds. */
  readonly deadlineMs: number;
  /** Why there are fewer crashes than were asked for. */
  readonly stopped?: string;
  readonly crashes: readonly BenchCrash[];
  /** Mount table of the node and of the watched pods together. */
  readonly mountLines?: { readonly before: number; readonly after: number };
  /** The agent's process tree: at the first crash that counts, and after the last. */
  readonly agent?: { readonly first: AgentUsage; readonly last: AgentUsage; readonly overMs: number };
  readonly apiRequests?: ApiRequests;
}

/** What the agent asked of the API server, by its own count: `create events`, `watch pods`. A watch is one, however long it lasts. */
export interface ApiRequests {
  /** All that were counted together, and of how many crashes. */
  readonly during: Readonly<Record<string, number>>;
  readonly crashes: number;
  /** While nothing happened, over so many milliseconds. */
  readonly idle?: { readonly during: Readonly<Record<string, number>>; readonly overMs: number };
}

export interface AgentUsage {
  readonly anonymousBytes: number;
  readonly residentBytes: number;
  readonly cpuMs: number;
  readonly processes: number;
}

/** One crash, as one pod felt it. A crash of several datasets gives one for each. */
export interface BenchCrash {
  /** From 1; the same for all pods that the crash reached. */
  readonly crash: number;
  /** `<namespace>/<pod>`. */
  readonly pod: string;
  /** Nanoseconds since the crash; a moment that did not come, or cannot be seen, is absent. */
  readonly moments: Readonly<Partial<Record<BenchMoment, number>>>;
  /** Failed operations by errno; `HANG` counts those that never came back. */
  readonly errors: Readonly<Record<string, number>>;
  /** Operations that came back more than 10 ms after they were due, errors included, until the pod was steady. */
  readonly late: number;
  /** Of many pods: how many had not read again before the deadline. */
  readonly podsLost?: number;
  readonly longestStallNs: number;
}

import type { KubernetesChoice } from '../clusters/choose-cluster.ts';
import type { AgentSettings, StartOptions } from '../clusters/cluster.ts';
import type { UserPod } from '../clusters/kubernetes/user-pod.ts';
import type { Environment } from './environment.ts';
import type { RunId } from './run-id.ts';
import type { Verdict } from './timeline/record.ts';

/** Validated options of a command that makes a run. Paths are absolute. */
export interface RunOptions {
  readonly runId: RunId;
  /** Folder in which the run's own folder is created. Exists and is writable. */
  readonly out: string;
  readonly seed: number;
  /** Forces a lower kernel tier. Default: the highest that the kernel supports. */
  readonly kernelTier?: NonNullable<AgentSettings['kernelTier']>;
  /** Third-party FUSE daemon. Default: the fake one. */
  readonly daemon?: NonNullable<StartOptions['daemon']>;
  readonly environment: Environment;
}

export interface ConformOptions extends RunOptions {
  /** Cucumber tag expression. */
  readonly tags?: string;
  /** Without tags and paths: run every scenario except the long ones, not only the documented ones. */
  readonly all?: boolean;
  readonly cluster: string;
  /** The Kubernetes cluster to use. Absent in the sandbox. */
  readonly kubernetes?: KubernetesChoice;
  /** Name of a shipped profile, or absolute path of a file. */
  readonly profile: string;
  /** Feature files and folders, `FILE:LINE` too; empty for all that are shipped. */
  readonly paths: readonly string[];
  /** Names of node conditions that every scenario runs under, in addition to those among its tags. */
  readonly conditions: readonly string[];
  /** Number of scenarios that run in parallel, each on its own cluster. */
  readonly jobs: number;
  /** Claims that a scenario must judge; otherwise the run fails. */
  readonly required?: readonly string[];
  /** Flags of the command line that a scenario needs to run again as it ran; without those that select scenarios, and the seed. */
  readonly flags: readonly string[];
}

export interface CrashOptions extends RunOptions {
  readonly fault: string;
  /** If false, the agent's gate stays off and the mount stays broken. */
  readonly recovery: boolean;
  /** Keep everything running until interrupted, and take commands: crash again, a shell in the pod, quit. */
  readonly hold: boolean;
  /** The user's program and its arguments, run in the pod; empty for the documented loop. */
  readonly command: readonly string[];
  /** Text that the program must print after the pod reads again. */
  readonly expect?: string;
  /** How long the program is watched after the recovery. */
  readonly watchMs: number;
}

/** A crash in a pod that the user runs. */
export interface CrashPodOptions extends Pick<RunOptions, 'runId' | 'out' | 'seed' | 'environment'> {
  /** Text of a kubeconfig, whose current context is used. It may hold credentials, so it is kept in memory only. */
  readonly kubeConfig: string;
  /** Name of that context. */
  readonly context: string;
  readonly pod: UserPod;
  /** Mount path of the volume in the pod. Absent: the pod has only one FUSE mount. */
  readonly path?: string;
  /** Harness image that the node can pull. Absent: the one that is built here. */
  readonly image?: string;
  /** How long the pod may take to read again. */
  readonly timeoutMs: number;
}

/** The conditions of one benchmark series. */
export interface BenchConditions {
  readonly fault: string;
  /** Pods of each dataset. */
  readonly pods: number;
  readonly datasets: number;
  /** Operations per second of the probe in the pod. */
  readonly rate: number;
  /** Mean of the pauses before a crash. */
  readonly pacingMs: number;
}

export interface BenchOptions extends RunOptions, BenchConditions {
  readonly cluster: string;
  /** The Kubernetes cluster to use. Absent in the sandbox. */
  readonly kubernetes?: KubernetesChoice;
  readonly crashes: number;
  /** Crashes before the measured ones. */
  readonly warmUp: number;
  /** Repeat the benchmark for each of these points, with one condition changed. */
  readonly vary?: { readonly name: keyof BenchConditions; readonly points: readonly Partial<BenchConditions>[] };
  /** Also measure recovery by a plain poll, by restarting the pod, and no recovery. */
  readonly baselines: boolean;
  /** Also measure the same crashes with a standby of each dataset. */
  readonly standby?: boolean;
  /** Also measure the same crashes with daemons that continue on the connection, which a keeper holds. */
  readonly takeover?: boolean;
  /** Crash the daemon as soon as the pod reads again, under the kubelet's back-off, whose clock runs less fast than otherwise. */
  readonly crashLoop?: boolean;
  /** Maximum number of crashes for each baseline. */
  readonly baselineCrashes: number;
  /** How long to watch the baseline without recovery. */
  readonly deadlineMs: number;
  /** What replaces the agent: a shell command, or the program of a profile. */
  readonly peer?: string | Pick<AgentSettings, 'command' | 'environment' | 'files'>;
  /** CPU limit of the agent, in thousandths of a core. */
  readonly agentCpuMillis?: number;
  /** Idle time after the crashes, in which the agent's API requests are counted. */
  readonly idleMs: number;
  /** On Kubernetes: repeat the crashes in the sandbox for comparison. */
  readonly besideSandbox?: boolean;
}

export interface RunOutcome {
  readonly verdict: Verdict;
  /** A line for each object that could not be cleaned up. */
  readonly leftovers: readonly string[];
  /** Folder of this run's results. */
  readonly resultsDir: string;
}

/** The commands that make a run. If `environment.signal` aborts, they stop, clean up, and return partial results. */
export interface Verbs {
  conform(options: ConformOptions): Promise<RunOutcome>;
  crash(options: CrashOptions): Promise<RunOutcome>;
  crashPod(options: CrashPodOptions): Promise<RunOutcome>;
  bench(options: BenchOptions): Promise<RunOutcome>;
}

import type { KubernetesChoice } from '../clusters/choose-cluster.ts';
import type { AgentOptions, StartOptions } from '../clusters/cluster.ts';
import type { Environment } from './environment.ts';
import type { RunId } from './run-id.ts';
import type { Verdict } from './timeline/record.ts';

/** What the command asks of the scenario engine: arguments are checked, paths absolute, nothing has been started. */
export interface RunOptions {
  readonly runId: RunId;
  /** Folder that the run's own folder is made in; exists and is writable. */
  readonly out: string;
  readonly seed: number;
  /** Forces a tier that the kernel has more than; absent: the best that it has. */
  readonly kernelTier?: NonNullable<AgentOptions['kernelTier']>;
  /** FUSE daemon that others wrote; absent: the fake one. */
  readonly daemon?: NonNullable<StartOptions['daemon']>;
  readonly environment: Environment;
}

export interface ConformOptions extends RunOptions {
  /** Tag expression of Cucumber's language. */
  readonly tags?: string;
  /** Where neither tags nor paths choose: every scenario but the long ones, not only the documented ones. */
  readonly all?: boolean;
  readonly cluster: string;
  /** Where on Kubernetes; absent in the sandbox. */
  readonly kubernetes?: KubernetesChoice;
  /** Name of a shipped profile, or absolute path of a file. */
  readonly profile: string;
  /** Feature files and folders, `FILE:LINE` too; empty for all that are shipped. */
  readonly paths: readonly string[];
  /** How many scenarios run side by side, each on a cluster of its own. */
  readonly jobs: number;
}

export interface CrashOptions extends RunOptions {
  readonly fault: string;
  /** False: the agent's gate stays off, and the mount stays broken. */
  readonly recovery: boolean;
  /** Keep everything up until interrupted, and print how to step inside the pod. */
  readonly hold: boolean;
  /** The user's program and its arguments, run in the pod; empty for the documented loop. */
  readonly command: readonly string[];
}

/** What a benchmark does under one set of conditions. */
export interface BenchConditions {
  readonly fault: string;
  /** Of each dataset. */
  readonly pods: number;
  readonly datasets: number;
  /** Operations a second of the probe in the pod. */
  readonly rate: number;
  /** Mean of the pauses before a crash. */
  readonly pacingMs: number;
}

export interface BenchOptions extends RunOptions, BenchConditions {
  readonly cluster: string;
  /** Where on Kubernetes; absent in the sandbox. */
  readonly kubernetes?: KubernetesChoice;
  readonly crashes: number;
  /** Crashes before the first that counts. */
  readonly warmUp: number;
  /** The same again for each of these, one condition changed. */
  readonly vary?: { readonly name: keyof BenchConditions; readonly points: readonly Partial<BenchConditions>[] };
  /** Also recover by a plain poll, by restarting the pod, and not at all. */
  readonly baselines: boolean;
  /** The most crashes of a baseline. */
  readonly baselineCrashes: number;
  /** How long the baseline that does nothing is watched. */
  readonly deadlineMs: number;
  /** A shell command that takes the agent's place. */
  readonly peer?: string;
  /** CPU that the agent is held to, in thousandths of a core. */
  readonly agentCpuMillis?: number;
  /** How long the agent is left alone after the crashes, for what it asks of the API server then. */
  readonly idleMs: number;
  /** On Kubernetes: the same crashes in the sandbox too, for the figures beside it. */
  readonly besideSandbox?: boolean;
}

export interface Outcome {
  readonly verdict: Verdict;
  /** One line for each thing that could not be cleaned up. */
  readonly leftovers: readonly string[];
  /** Folder of this run's results. */
  readonly resultsDir: string;
}

/** The verbs that make a run. They stop and clean up when `environment.signal` aborts, and then return what is known. */
export interface Verbs {
  conform(options: ConformOptions): Promise<Outcome>;
  crash(options: CrashOptions): Promise<Outcome>;
  bench(options: BenchOptions): Promise<Outcome>;
}

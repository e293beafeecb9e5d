import type { KubernetesChoice } from '../../clusters/choose-cluster.ts';
import type { AgentOptions } from '../../clusters/cluster.ts';
import type { RunId } from '../run-id.ts';
import type { Fidelity, ScenarioRecord } from '../timeline/record.ts';
import type { RunOptions } from '../verbs.ts';

/** What a runner needs to start: as much of the run as can be sent to another process. */
export interface RunnerOptions {
  readonly runId: RunId;
  readonly cluster: string;
  readonly kubernetes?: KubernetesChoice;
  readonly profile: string;
  readonly agent: AgentOptions;
  readonly daemon?: NonNullable<RunOptions['daemon']>;
  readonly clockScale: number;
  /** Folder of this runner's own, which exists: its part of the history, and its logs. */
  readonly folder: string;
  /** CLOCK_MONOTONIC nanoseconds of the run's beginning: all runners count from the same moment. */
  readonly origin: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** To a runner. `run`: one scenario, `FILE:LINE`. `end`: dispose of the cluster and say goodbye; also in the middle of one. */
export type Order =
  | { readonly order: 'start'; readonly options: RunnerOptions }
  | { readonly order: 'run'; readonly scenario: string }
  | { readonly order: 'end' };

/** From a runner. `ready` for the next scenario; `failed`: it broke, and its process ends. */
export type Report =
  | { readonly report: 'progress'; readonly line: string }
  | { readonly report: 'ready'; readonly cluster: ClusterFacts }
  | { readonly report: 'finished'; readonly scenarios: readonly ScenarioRecord[]; readonly errors: readonly string[] }
  | { readonly report: 'ended'; readonly leftovers: readonly string[] }
  | { readonly report: 'failed'; readonly message: string; readonly missing?: readonly Missing[] };

export interface Missing {
  readonly what: string;
  readonly remedy: string;
}

/** What a record says of the cluster, and the key that no output may hold. */
export interface ClusterFacts {
  readonly name: string;
  readonly fidelity: Fidelity;
  readonly secret: string;
}

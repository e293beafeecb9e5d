import type { KubernetesChoice } from '../../clusters/choose-cluster.ts';
import type { AgentSettings } from '../../clusters/cluster.ts';
import type { RunId } from '../run-id.ts';
import type { Fidelity, ScenarioRecord } from '../timeline/record.ts';
import type { RunOptions } from '../verbs.ts';

/** The serialisable options of a run that a runner needs to start. */
export interface RunnerOptions {
  readonly runId: RunId;
  readonly cluster: string;
  readonly kubernetes?: KubernetesChoice;
  readonly profile: string;
  readonly agent: AgentSettings;
  readonly daemon?: NonNullable<RunOptions['daemon']>;
  readonly clockScale: number;
  /** Names of the node conditions. */
  readonly conditions: readonly string[];
  /** An existing folder for this runner's part of the history, and its logs. */
  readonly folder: string;
  /** CLOCK_MONOTONIC nanoseconds at the run's beginning, from which all runners count. */
  readonly origin: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Sent to a runner. `run`: one scenario, `FILE:LINE`. `end`: dispose of the cluster and exit, even during a scenario. */
export type Order =
  | { readonly order: 'start'; readonly options: RunnerOptions }
  | { readonly order: 'run'; readonly scenario: string }
  | { readonly order: 'end' };

/**
 * Sent by a runner. `ready`: it accepts a scenario. `waits`: from now on only time passes in its scenario, or no longer. `failed`:
 * its process ends because of an error.
 */
export type Report =
  | { readonly report: 'progress'; readonly line: string }
  | { readonly report: 'ready'; readonly cluster: ClusterSummary }
  | { readonly report: 'waits'; readonly waits: boolean }
  | ({ readonly report: 'finished' } & FinishedScenario)
  | { readonly report: 'ended'; readonly leftovers: readonly string[] }
  | { readonly report: 'failed'; readonly message: string; readonly missing?: readonly Missing[] };

/** A scenario has several records if it is an outline with several rows. */
export interface FinishedScenario {
  readonly scenarios: readonly ScenarioRecord[];
  readonly errors: readonly string[];
  /** Something of the scenario may still be stuck on the node, so that the next one needs another. */
  readonly isStuck: boolean;
}

export interface Missing {
  readonly what: string;
  readonly remedy: string;
}

/** The cluster's facts for the record, and the secret key that no output may contain. */
export interface ClusterSummary {
  readonly name: string;
  readonly fidelity: Fidelity;
  readonly secret: string;
}

import type { KubeConfig } from '@kubernetes/client-node';
import type { Fidelity } from '../../src/timeline/record.ts';
import type { AgentOptions, ClusterEvent, RunningCluster } from '../cluster.ts';

/** Pods that are told by namespace and labels, and the container of each that is meant. */
export interface PodsOf {
  readonly namespace: string;
  /** `app=node-program`. */
  readonly labelSelector: string;
  readonly container: string;
}

/** The agent's DaemonSet, which exists; its container has the flags. */
export interface AgentDaemonSet {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
}

/** What there has to be before a Kubernetes cluster can run scenarios, whoever made it. */
export interface KubernetesClusterOptions {
  /** `kind`, `minikube`, `existing`. */
  readonly name: string;
  readonly runId: string;
  readonly kubeConfig: KubeConfig;
  /** What stands in for what; the offsets of the nodes' clocks are added here. */
  readonly fidelity: Fidelity;
  /** As pods of the cluster see it. */
  readonly store: RunningCluster['store'];
  /** The DaemonSet's pods of `nodeProgramDaemonSet`, all of them running. */
  readonly nodeProgram: PodsOf;
  /** Directory of the nodes: a FUSE daemon waits as long as its file `<namespace>.<pod>` is there. */
  readonly holds: string;
  readonly agent: AgentDaemonSet;
  /** They were made for runs: what serves others too, as their kubelets do, may be restarted. */
  readonly nodesAreOurs: boolean;
  /** Whether FUSE daemons are the fake one, which is told how to behave, and says when it is ready. */
  readonly saysReady: boolean;
  /** The flags that the agent is to have when scenarios begin; the DaemonSet is changed where it has others. */
  readonly agentOptions: AgentOptions;
  /** Exists; logs of containers go to `logs/` below it. */
  readonly resultsDir: string;
  /** Of the commands that a scenario runs here, as documented. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Disposed of last, when the running cluster is: what its maker has to take away. */
  readonly life?: AsyncDisposable;
}

import type { ForeignDaemon } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import type { Fidelity, HistoryEvent } from '../../src/timeline/record.ts';
import type {
  AgentSettings,
  Capability,
  ContainerRef,
  HarnessPrograms,
  NodeVerbs,
  RunningCluster,
} from '../cluster.ts';
import type { Reply } from '../rpc.ts';

export interface SupervisorOptions {
  readonly runId: string;
  readonly resultsDir: string;
  /** An empty directory of the machine, over which the node's root is mounted. The harness creates and removes it. */
  readonly scratch: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly agent: AgentSettings;
  readonly daemon?: ForeignDaemon;
  readonly programs: HarnessPrograms;
  readonly clockScale: number;
  /** Names of the node conditions. */
  readonly conditions: readonly string[];
  /** In CI: mount tables are read once more by findmnt. */
  readonly confirmsMounts: boolean;
  /** The user's working directory. Containers see it, too. */
  readonly workingDirectory: string;
}

/** What is known once the sandbox has started. */
export interface Started {
  /** The administrator's, as text. */
  readonly kubeConfig: string;
  readonly store: RunningCluster['store'];
  readonly fidelity: Fidelity;
  /** What this machine and the agent's flags allow, beyond what every sandbox can do. */
  readonly capabilities: readonly Capability[];
}

type SandboxMembers = 'exec' | 'run' | 'restartAgent' | 'killAgent' | 'stopAgent' | 'agentMetrics' | 'agentUsage';

/** The supervisor's procedures: the verbs of any node, and what the sandbox does through its own kubelet and agent process. */
export interface SandboxProcedures extends NodeVerbs, Pick<RunningCluster, SandboxMembers> {
  start(options: SupervisorOptions): Promise<Started>;
  rebootNode(): Promise<number>;
  /** The kubelet process starts again, drivers register and volumes are published again, and back-offs are forgotten. */
  restartKubelet(): Promise<number>;
  killKeeper(): Promise<number>;
  agentStatusAddress(): Promise<string>;
  /** Mount points of the node's neighbours that somebody has touched. */
  harmedNeighbours(): Promise<readonly string[]>;
  /** Process 1 of a container, in the sandbox's PID namespace. */
  pid(target: ContainerRef): Promise<number>;
  /** What is left on the node of a namespace's pods and datasets. */
  leftovers(namespace: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** What the supervisor reports: events as the history has them, and lines for the progress display. */
export type News = HistoryEvent | { readonly progress: string };

/** A line that the supervisor writes, to a descriptor of its own because any library may print to standard output. */
export type Message = Reply | News;
export const reportsDescriptor = 3;

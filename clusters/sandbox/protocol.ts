import type { ForeignDaemon } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import type { Fidelity, HistoryEvent } from '../../src/timeline/record.ts';
import type { AgentOptions, Capability, ContainerRef, ExecResult, Usage } from '../cluster.ts';
import type { NodeProcedures } from '../node/procedures.ts';
import type { Reply } from '../rpc.ts';

/** What the harness tells the supervisor when it starts it. */
export interface SupervisorOptions {
  readonly runId: string;
  readonly resultsDir: string;
  /** An empty directory of the machine, made and removed by the harness, over which the node's root is built. */
  readonly scratch: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly agent: AgentOptions;
  readonly daemon?: ForeignDaemon;
  readonly probeProgram: string;
  readonly clockScale: number;
  /** The user's working directory, which containers see too. */
  readonly workingDirectory: string;
}

/** What is there once the sandbox has started. */
export interface Started {
  readonly url: string;
  readonly token: string;
  readonly store: {
    readonly endpoint: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
  };
  readonly fidelity: Fidelity;
  /** What this machine and the agent's flags allow beyond what every sandbox can do. */
  readonly capabilities: readonly Capability[];
}

/** The supervisor's procedures: argument and result of each. */
export interface Procedures extends NodeProcedures {
  start(options: SupervisorOptions): Promise<Started>;
  putObject(argument: { readonly key: string; readonly base64: string }): Promise<void>;
  exec(argument: {
    readonly target: ContainerRef;
    readonly command: readonly string[];
    readonly timeoutMs: number;
  }): Promise<ExecResult>;
  /** Resolves when the program ended. No target: on the node. */
  run(argument: {
    readonly target?: ContainerRef;
    readonly command: readonly string[];
    readonly name: string;
    readonly id: number;
  }): Promise<{
    readonly exitCode: number | null;
    readonly signal: string | null;
  }>;
  holdRestarts(argument: { readonly target: ContainerRef; readonly id: number }): Promise<void>;
  restartAgent(argument: { readonly agent: AgentOptions }): Promise<void>;
  killAgent(argument: Record<never, never>): Promise<number>;
  /** Until ended with this id. */
  stopAgent(argument: { readonly id: number }): Promise<void>;
  rebootNode(argument: Record<never, never>): Promise<number>;
  agentMetrics(argument: Record<never, never>): Promise<string>;
  agentUsage(argument: Record<never, never>): Promise<Usage>;
  /** Mounts and directories that a namespace's pods and datasets left on the node. */
  leftovers(argument: { readonly namespace: string }): Promise<readonly string[]>;
  stop(argument: Record<never, never>): Promise<void>;
}

/** What the supervisor sends unasked: what happened, lines for the progress display, and a probe's raw NDJSON. */
export type News =
  | { readonly event: HistoryEvent }
  | { readonly progress: string }
  | { readonly probe: number; readonly chunk: string };

/** They come by the array, in order. */
export type Message = Reply | News;

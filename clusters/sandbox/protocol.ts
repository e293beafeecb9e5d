import type { Fidelity, HistoryEvent } from '../../reports/record.ts';
import type {
  AgentOptions,
  Capability,
  ContainerRef,
  ExecResult,
  ProbeOptions,
  StoreTrouble,
  Usage,
} from '../cluster.ts';

/** What the harness tells the supervisor when it starts it. */
export interface SupervisorOptions {
  readonly runId: string;
  readonly resultsDir: string;
  /** An empty directory of the machine, made and removed by the harness, over which the node's root is built. */
  readonly scratch: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly agent: AgentOptions;
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
export interface Procedures {
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
  /** Ends a program, a probe or a hold that was started with this id. */
  end(argument: { readonly id: number }): Promise<void>;
  probe(argument: { readonly options: ProbeOptions; readonly id: number }): Promise<void>;
  kill(argument: { readonly target: ContainerRef; readonly signal: NodeJS.Signals }): Promise<number>;
  abortConnection(argument: { readonly daemon: ContainerRef }): Promise<number>;
  killWhenReady(argument: { readonly daemon: ContainerRef; readonly delayMs: number }): Promise<number>;
  outOfMemory(argument: { readonly target: ContainerRef }): Promise<number>;
  holdRestarts(argument: { readonly target: ContainerRef; readonly id: number }): Promise<void>;
  mountTable(argument: { readonly target?: ContainerRef }): Promise<readonly string[]>;
  /** Process 1 of a container, as the supervisor's PID namespace numbers it. */
  pid(argument: { readonly target: ContainerRef }): Promise<number>;
  restartAgent(argument: { readonly agent: AgentOptions }): Promise<void>;
  killAgent(argument: Record<never, never>): Promise<number>;
  /** Until ended with this id. */
  stopAgent(argument: { readonly id: number }): Promise<void>;
  rebootNode(argument: Record<never, never>): Promise<number>;
  /** The endpoint of a way to the store, which is closed when ended with this id. */
  openFaultyStore(argument: { readonly id: number }): Promise<string>;
  /** Until ended with this id. */
  storeTrouble(argument: {
    readonly store: number;
    readonly trouble: StoreTrouble;
    readonly id: number;
  }): Promise<void>;
  agentMetrics(argument: Record<never, never>): Promise<string>;
  agentUsage(argument: Record<never, never>): Promise<Usage>;
  /** Mounts and directories that a namespace's pods and datasets left on the node. */
  leftovers(argument: { readonly namespace: string }): Promise<readonly string[]>;
  stop(argument: Record<never, never>): Promise<void>;
}

export type ProcedureName = keyof Procedures;

export type Request = { readonly id: number; readonly procedure: ProcedureName; readonly argument: unknown };

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } };

/** What the supervisor sends: replies, what happened, lines for the progress display, and a probe's raw NDJSON. */
export type Message =
  | Reply
  | { readonly event: HistoryEvent }
  | { readonly progress: string }
  | { readonly probe: number; readonly chunk: string };

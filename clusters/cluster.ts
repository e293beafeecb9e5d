import type { KubeConfig } from '@kubernetes/client-node';
import type { ForeignDaemon } from '../fakes/foreign-daemons/foreign-daemon.ts';

export { foreignDaemons } from '../fakes/foreign-daemons/foreign-daemon.ts';

import type { ContainerRef } from '../src/timeline/consumer.ts';
import type { Fidelity, HistoryEvent } from '../src/timeline/record.ts';

/** What a cluster can or cannot do; a scenario that needs what is missing is skipped with the reason. */
export type Capability =
  | 'agent-control'
  | 'signal-daemon'
  | 'mount-tables'
  | 'scaled-clock'
  | 'two-nodes'
  | 'kubectl'
  /** `abortConnection`. */
  | 'abort-connection'
  /** `outOfMemory`: memory cgroups can be written. */
  | 'memory-cgroups'
  /** `AgentOptions.cpuMillis`: CPU cgroups can be written. */
  | 'cpu-limit'
  /** `AgentOptions.diesBefore`. */
  | 'agent-death'
  /** The agent attaches beneath and detaches the top (Linux 6.5), rather than stacking. */
  | 'mount-beneath'
  /** `rebootNode`. */
  | 'node-reboot'
  /** `openFaultyStore`. */
  | 'store-faults'
  /** The FUSE daemon can be told to be slow, to hang and so on. */
  | 'told-daemon'
  /** The kubelet is Kubernetes' own, and so is its back-off. */
  | 'real-kubelet'
  /** FUSE mounts can be idmapped, where the daemon allows it (Linux 6.12). */
  | 'idmapped-fuse'
  /** `restartKubelet`. */
  | 'kubelet-restart';

/** An event without its scenario; its time is absolute CLOCK_MONOTONIC nanoseconds until the history subtracts its origin. */
export type ClusterEvent = HistoryEvent;

/** Cannot run here: one sentence for each missing thing, with its remedy. Status 3. */
export class CannotRun extends Error {
  readonly code = 'CANNOT_RUN';
  readonly missing: readonly { readonly what: string; readonly remedy: string }[];
  constructor(missing: readonly { readonly what: string; readonly remedy: string }[], options?: ErrorOptions) {
    super(missing.map(({ what, remedy }) => `${what}: ${remedy}`).join('\n'), options);
    this.missing = missing;
  }
}

export const foreignAgentFailed = 'FOREIGN_AGENT_FAILED';

/** A program that replaces Rekindle's agent did not start to serve, which is not our fault. Its code survives the way to other processes. */
export class ForeignAgentFailed extends Error {
  readonly code = foreignAgentFailed;

  /** `logFile` has the program's output. */
  constructor({ cause, logFile }: { readonly cause: unknown; readonly logFile: string }) {
    const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const reason = lines.find((line) => /error|cannot|no such|not found/i.test(line)) ?? lines[0];
    super(`the program in the agent's place does not start: ${reason?.trim()} (all that it printed: ${logFile})`, {
      cause,
    });
  }
}

export interface StartOptions {
  readonly runId: string;
  /** Where output of the parts goes, file by file; exists and is writable. */
  readonly resultsDir: string;
  /** Where what a cluster shows is written when something fails; made where it is not there. */
  readonly diagnosticsDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes everything that happens, as it happens. */
  readonly onEvent: (event: ClusterEvent) => void;
  /** Takes one line for each step of the start, for the progress display. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  readonly agent: AgentOptions;
  /** A FUSE daemon that others wrote, by the name of its program, in place of the fake one. */
  readonly daemon?: ForeignDaemon;
  /** The user's working directory; programs that run in a pod find it where it is. */
  readonly workingDirectory: string;
  readonly programs: HarnessPrograms;
  /** Seconds of the fake kubelet's clock in one real second, where the kubelet is fake. */
  readonly clockScale: number;
}

/** Programs of the harness that run on nodes and in containers, each as a process of its own, by the path of its source. */
export interface HarnessPrograms {
  /** Reads in a container's mount namespace, which it enters itself. */
  readonly probe: string;
  /** Tries to change a directory. Arguments: the directory, a file in it. */
  readonly writer: string;
  /** Looks for credentials in all processes. Argument: the kubelet's directory. */
  readonly secrets: string;
  /** Tells of all mounts of all namespaces. */
  readonly mountAttributes: string;
  /** Reads from one descriptor of a file for ever. Argument: the file. */
  readonly heldFile: string;
  /** Reads a file in many containers of the node. Arguments: a file with orders, the file to read. */
  readonly sweep: string;
}

export type ProgramName = Exclude<keyof HarnessPrograms, 'probe'>;

/** What is started of the harness's own programs, and where. */
export interface ProgramRun {
  readonly program: ProgramName;
  readonly args: readonly string[];
  /** As its `output` events have it. */
  readonly name: string;
  /** In whose mount namespace; in the node's where not given. The container's image needs nothing for it. */
  readonly target?: ContainerRef;
}

/** The flags of the agent, named as the flags are. */
export interface AgentOptions {
  readonly fuseRecovery: boolean;
  readonly kernelTier?: '6.5' | '5.12' | '5.10';
  readonly readWriteScope?: 'volume' | 'cluster' | 'recover';
  /** How long a connection may hang before it is aborted, as the flag has it (`1s`); never where not given. */
  readonly abortHungAfter?: string;
  /** A process that takes the agent's place: the faulty agents of the negative profiles. */
  readonly command?: readonly string[];
  /** CPU that its process tree is held to once it serves, in thousandths of a core (`cpu-limit`). */
  readonly cpuMillis?: number;
  /** It ends itself with SIGKILL there; the one that is started in its place does not. */
  readonly diesBefore?: AgentDeath;
}

/** A moment in the agent's work: just before the mount of so many is attached, or so many are detached, since it started. */
export interface AgentDeath {
  readonly call: 'attach' | 'detach';
  /** 1 is the first. */
  readonly count: number;
}

/** What can be wrong with an object store. `down`: connections are cut. `slow`: each answer comes so much later. */
export type StoreTrouble = { readonly kind: 'down' } | { readonly kind: 'slow'; readonly delayMs: number };

/** A way to the object store that can be made to fail, for the datasets that have its endpoint. */
export interface FaultyStore extends AsyncDisposable {
  readonly endpoint: string;
  /** Fails until disposed of. */
  trouble(trouble: StoreTrouble): Promise<AsyncDisposable>;
}

export interface Cluster {
  readonly name: string;
  start(options: StartOptions): Promise<RunningCluster>;
}

export type { ContainerRef };

export interface ExecResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProbeOptions {
  readonly target: ContainerRef;
  /** Mount path in the container. */
  readonly path: string;
  /** Operations a second. */
  readonly rate: number;
  /** Files expected below `path`, relative, with the SHA-256 of their bytes in hex. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a process tree uses. */
export interface Usage {
  /** Memory of its own, not of files (RssAnon). */
  readonly anonymousBytes: number;
  readonly residentBytes: number;
  /** User and system time since it began. */
  readonly cpuMs: number;
  readonly processes: number;
}

/** A program that runs in a container until it ends or is disposed of; its lines come as `output` events. */
export interface RunningProgram extends AsyncDisposable {
  readonly name: string;
  readonly exited: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
}

/** A terminal, as a user who follows the document has it, with a `kubectl` that knows only this cluster. */
export interface Terminal extends AsyncDisposable {
  /** Writes a file into the terminal's working directory. */
  write(file: string, text: string): void;
  /** Runs command lines until they end. Standard error is part of the output, as on any terminal. */
  run(lines: string): Promise<Pick<ExecResult, 'exitCode' | 'stdout'>>;
  /** Starts command lines that keep running. Their output becomes `output` events. */
  start(lines: string, name: string): Promise<RunningProgram>;
}

/** The documented commands, as a user would run them. The agent follows the arguments of its DaemonSet. */
export interface Kubectl {
  /** Runs one command line. */
  run(line: string): Promise<ExecResult>;
  openTerminal(namespace: string): Promise<Terminal>;
}

/** What the node program does. The program implements these, and both clusters derive theirs by calling it. */
export interface NodeVerbs {
  /** Puts an object into the bucket. */
  putObject(key: string, body: Uint8Array): Promise<void>;
  /** Status of a GET request to the object store, as a pod of the cluster would send it. */
  askStore(path: string, headers: Readonly<Record<string, string>>): Promise<number>;
  /** Starts one of the harness's own programs on the node. */
  runProgram(run: ProgramRun): Promise<RunningProgram>;
  /** Signals process 1 of a container from outside, as the OOM killer does. Resolves with the time of kill(2). */
  kill(target: ContainerRef, signal: NodeJS.Signals): Promise<number>;
  /** Aborts the FUSE connection of a daemon's container, as an administrator does through fusectl. Resolves with the time. */
  abortConnection(daemon: ContainerRef): Promise<number>;
  /** Makes the kernel's OOM killer end process 1 of a container, by a limit of its memory cgroup. Resolves with the time. */
  outOfMemory(target: ContainerRef): Promise<number>;
  /** Sends SIGKILL to the next process 1 of the container, `delayMs` after it reports ready. Resolves with the time. */
  killWhenReady(daemon: ContainerRef, delayMs: number): Promise<number>;
  /** Prevents the kubelet from starting the container until disposed of; also its first start, and across a reboot. */
  holdRestarts(target: ContainerRef): Promise<AsyncDisposable>;
  /** Resolves once the probe reads. Its results become events. */
  probe(options: ProbeOptions): Promise<AsyncDisposable>;
  /** The mount table of a container, or of the node, as lines of mountinfo. */
  mountTable(target?: ContainerRef): Promise<readonly string[]>;
  /** Requires the capability `store-faults`. */
  openFaultyStore(): Promise<FaultyStore>;
}

/** All verbs. `time`: the result is a time on the node's clock, CLOCK_MONOTONIC in nanoseconds. */
export const nodeVerbs: Readonly<Record<keyof NodeVerbs, 'time' | 'value'>> = {
  putObject: 'value',
  askStore: 'value',
  runProgram: 'value',
  kill: 'time',
  abortConnection: 'time',
  outOfMemory: 'time',
  killWhenReady: 'time',
  holdRestarts: 'value',
  probe: 'value',
  mountTable: 'value',
  openFaultyStore: 'value',
};

/** The verbs of a cluster, each of which calls a node program. */
export function deriveVerbs(call: (verb: keyof NodeVerbs, args: readonly unknown[]) => Promise<unknown>): NodeVerbs {
  const verbs = Object.keys(nodeVerbs) as (keyof NodeVerbs)[];
  const entries = verbs.map((verb) => [verb, (...args: readonly unknown[]) => call(verb, args)] as const);
  return Object.fromEntries(entries) as unknown as NodeVerbs;
}

export interface RunningCluster extends NodeVerbs, AsyncDisposable {
  readonly name: string;
  readonly fidelity: Fidelity;
  readonly capabilities: ReadonlySet<Capability>;
  /** If there are several nodes: the one for the pods of a scenario, so that one daemon serves all of a dataset. */
  readonly applicationNode?: string;
  /** Release of the kernel that the scenario's pods run on, as `uname -r` prints it. */
  readonly kernel: string;
  /** Timeout for things that must happen, long enough for a slow machine. */
  readonly patienceMs: number;
  /** How long to watch for things that must not happen: longer than the agent's period. */
  readonly watchMs: number;
  /** A client's configuration for the cluster's API server, never the user's current context. */
  readonly kubeConfig: KubeConfig;
  /** Labels for the namespaces of scenarios, by which leftovers of a killed run are found. Absent: nothing outlives a run. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  /** The object store of the documented datasets, as a pod of the cluster sees it. */
  readonly store: {
    readonly endpoint: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
  };
  /** Absent without the capability `kubectl`. */
  readonly kubectl?: Kubectl;
  exec(
    target: ContainerRef,
    command: readonly string[],
    options?: { readonly timeoutMs?: number },
  ): Promise<ExecResult>;
  /** Starts a program in a container, as `kubectl exec` does. */
  run(target: ContainerRef, command: readonly string[], name: string): Promise<RunningProgram>;
  /** The shell command that enters a container by hand. */
  stepInside(target: ContainerRef): Promise<string>;
  /** Stops the agent and starts it with other flags. Resolves when it answers on /healthz. */
  restartAgent(options: AgentOptions): Promise<void>;
  /** Sends SIGKILL to the agent, which is restarted as any container is. Resolves with the time. */
  killAgent(): Promise<number>;
  /** Stops the agent as a rollout does. Disposing of the result starts it again with the same flags. */
  stopAgent(): Promise<AsyncDisposable>;
  /** What the agent serves at /metrics, in Prometheus' text format. */
  agentMetrics(): Promise<string>;
  /** What the agent's process tree uses now. */
  agentUsage(): Promise<Usage>;
  /**
   * Power off and on: all processes and mounts of the node disappear at once; the pods stay in the API with their UIDs and are
   * started again. Resolves with the time of the power failure, once agent and kubelet run again. Absent without `node-reboot`.
   */
  rebootNode?(): Promise<number>;
  /** Restarts the kubelet of a container's node. Resolves with the time. Absent without `kubelet-restart`. */
  restartKubelet?(target: ContainerRef): Promise<number>;
  /** Waits until everything of the namespace is gone: pods, mounts, processes. Resolves with what is left. */
  release(namespace: string): Promise<readonly string[]>;
  /** Writes the cluster's events, logs, states and mount tables into a folder of this name among the diagnostics. */
  collectDiagnostics?(name: string): Promise<void>;
}

/** A member that only some clusters have. Scenarios that use it are skipped on the others. @throws if it is absent */
export function requireMember<Name extends 'kubectl' | 'rebootNode' | 'restartKubelet'>(
  cluster: RunningCluster,
  name: Name,
): NonNullable<RunningCluster[Name]> {
  const member = cluster[name];
  if (member === undefined) throw new Error(`${cluster.name} has no ${name}`);
  return member as NonNullable<RunningCluster[Name]>;
}

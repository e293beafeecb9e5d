import type { KubeConfig } from '@kubernetes/client-node';
import type { ForeignDaemon } from '../fakes/foreign-daemons/foreign-daemon.ts';
import type { ContainerRef } from '../src/timeline/consumer.ts';
import type { Fidelity, HistoryEvent } from '../src/timeline/record.ts';
import type { NodeProcess } from './node/processes.ts';

export { foreignDaemons } from '../fakes/foreign-daemons/foreign-daemon.ts';

/** What a cluster can do. A scenario that needs a missing capability is skipped with the reason. */
export type Capability =
  | 'agent-flags'
  | 'signal-daemon'
  | 'mount-tables'
  | 'scaled-clock'
  | 'two-nodes'
  | 'kubectl'
  /** `abortConnection`. */
  | 'abort-connection'
  /** `outOfMemory`: memory cgroups are writable. */
  | 'memory-cgroups'
  /** `AgentSettings.cpuMillis`: CPU cgroups are writable. */
  | 'cpu-limit'
  /** `AgentSettings.diesBefore`. */
  | 'agent-death'
  /** The agent attaches beneath and detaches the top (Linux 6.5), instead of stacking. */
  | 'mount-beneath'
  /** `rebootNode`. */
  | 'node-reboot'
  /** `openFaultyStore`. */
  | 'store-faults'
  /** The FUSE daemon is the fake one, whose behaviour can be set: slow, hanging and so on. */
  | 'fake-daemon'
  /** The kubelet is Kubernetes' own, with its back-off. */
  | 'real-kubelet'
  /** `AgentSettings.keeper`, `killKeeper`: the kernel sends unanswered requests of a FUSE connection again (Linux 6.9). */
  | 'takeover'
  /** FUSE mounts can be idmapped if the daemon allows it (Linux 6.12). */
  | 'idmapped-fuse'
  /** `restartKubelet`. */
  | 'kubelet-restart'
  /** `installations`, with the last release. */
  | 'last-release'
  /** `installations`, with the chart. */
  | 'helm'
  /** `StartOptions.conditions`, `harmedNeighbours`. */
  | 'node-conditions';

/** An event without its scenario. Its time is CLOCK_MONOTONIC in nanoseconds; the history subtracts the run's start. */
export type ClusterEvent = HistoryEvent;

/** The run is impossible here: one sentence for each missing thing, with a remedy. Exit status 3. */
export class CannotRun extends Error {
  readonly code = 'CANNOT_RUN';
  readonly missing: readonly { readonly what: string; readonly remedy: string }[];
  constructor(missing: readonly { readonly what: string; readonly remedy: string }[], options?: ErrorOptions) {
    super(missing.map(({ what, remedy }) => `${what}: ${remedy}`).join('\n'), options);
    this.missing = missing;
  }
}

export const foreignAgentFailed = 'FOREIGN_AGENT_FAILED';

/** A program that replaces Rekindle's agent did not start, which is not our error. RPC preserves the code. */
export class ForeignAgentFailed extends Error {
  readonly code = foreignAgentFailed;

  /** `logFile` has the program's output. */
  constructor({ cause, logFile }: { readonly cause: unknown; readonly logFile: string }) {
    const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    // What ends a program comes last, except for the frames of a stack.
    const reason = lines.findLast((line) => /error|fail|cannot|no such|not found/i.test(line) && !/^\s+at /.test(line));
    super(
      `the program in the agent's place does not start: ${(reason ?? lines[0])?.trim()} (all that it printed: ${logFile})`,
      {
        cause,
      },
    );
  }
}

export interface StartOptions {
  readonly runId: string;
  /** Exists and is writable. Receives the output of the cluster's parts, one file each. */
  readonly resultsDir: string;
  /** Receives the cluster's state when something fails. Created on demand. */
  readonly diagnosticsDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives everything that happens, as it happens. */
  readonly onEvent: (event: ClusterEvent) => void;
  /** Receives one line for each step of the start, for the progress display. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  readonly agent: AgentSettings;
  /** A FUSE daemon of other authors that replaces the fake, by the name of its program. */
  readonly daemon?: ForeignDaemon;
  /** The user's working directory. Programs in a pod find it at the same path. */
  readonly workingDirectory: string;
  readonly programs: HarnessPrograms;
  /** Seconds of a fake kubelet's clock per real second. */
  readonly clockScale: number;
  /** Names of node conditions (`node-conditions`). Absent: none. */
  readonly conditions?: readonly string[];
}

/** Paths of the harness's programs that run on nodes and in containers, each as a separate process. */
export interface HarnessPrograms {
  /** Reads in the mount namespace of a container, which it enters itself. */
  readonly probe: string;
  /** Tries to change a directory. Arguments: the directory, a file in it. */
  readonly writer: string;
  /** Creates files with fsync. Argument: the directory, which it creates. */
  readonly durableWriter: string;
  /** Looks for credentials in all processes. Argument: the kubelet's directory. */
  readonly secrets: string;
  /** Reports all mounts of all namespaces. */
  readonly mountAttributes: string;
  /** Keeps reading from one descriptor of a file. Argument: the file. */
  readonly heldFile: string;
  /** Reads a file in many containers of the node. Arguments: a file with orders, the file to read. */
  readonly sweep: string;
}

export type ProgramName = Exclude<keyof HarnessPrograms, 'probe'>;

/** Starts one of the harness's own programs. */
export interface ProgramRun {
  readonly program: ProgramName;
  readonly args: readonly string[];
  /** Its name in `output` events. */
  readonly name: string;
  /** Runs in the mount namespace of this container, whose image needs nothing for it. Absent: in the node's. */
  readonly target?: ContainerRef;
}

/** The agent's flags, under the same names, and how the harness runs it. */
export interface AgentSettings {
  /** `default`: without the gate's flag. */
  readonly fuseRecovery: boolean | 'default';
  /** Whether the gate `FuseStandby` is on, too. Absent: it is not mentioned. */
  readonly standby?: boolean;
  readonly kernelTier?: '6.5' | '5.12' | '5.10';
  readonly readWriteScope?: 'volume' | 'cluster' | 'recover';
  /** How long a connection may hang before it is aborted (`1s`). Absent: it is never aborted. */
  readonly abortHungAfter?: string;
  /** Whether pods may ask for a restart or an eviction (`--fallback`). Absent: they may not. */
  readonly fallback?: boolean;
  readonly subPath?: 'recover';
  /**
   * A program that replaces the agent, by its path or its name on the PATH, and its arguments. The word `{flags}` stands for all flags of
   * Rekindle's own agent; `{nodeName}`, `{socket}`, `{kubeconfig}`, `{kubeletRoot}`, `{mountRoot}` and `{gate}` for values. A word with
   * `{gate}` is left out if the gate is the default.
   */
  readonly command?: readonly string[];
  /** Variables of that program, with the same values. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Files that its image would have: paths in its root, and paths of the machine or names on the PATH. */
  readonly files?: Readonly<Record<string, string>>;
  /** Name of the CSI driver that the program serves. Absent: Fluid's. */
  readonly driver?: string;
  /** CPU limit of its process tree once it serves, in thousandths of a core (`cpu-limit`). */
  readonly cpuMillis?: number;
  /** A keeper of FUSE connections runs on the node, and the gate FuseTakeover is on (`takeover`). */
  readonly keeper?: KeeperSettings;
  /** It sends itself SIGKILL at this point. The agent that is started next does not. */
  readonly diesBefore?: AgentDeath;
}

/** How the keeper runs. */
export interface KeeperSettings {
  /** How long it keeps a connection without a daemon (`1s`). Absent: 20 s. */
  readonly deadline?: string;
  /** Name of a fault (`fakes/agents/faulty-keeper.ts`). Absent: the deployed program. */
  readonly fault?: string;
}

/** A point in the agent's work: just before the n-th mount since its start is attached or detached. */
export interface AgentDeath {
  readonly call: 'attach' | 'detach';
  /** 1 is the first. */
  readonly count: number;
}

/** A fault of an object store. `down`: connections break. `slow`: each response is delayed. */
export type StoreTrouble = { readonly kind: 'down' } | { readonly kind: 'slow'; readonly delayMs: number };

/** A proxy of the object store with faults, for the datasets that use its endpoint. */
export interface FaultyStore extends AsyncDisposable {
  readonly endpoint: string;
  /** The fault lasts until disposed of. */
  trouble(trouble: StoreTrouble): Promise<AsyncDisposable>;
}

export interface Cluster {
  readonly name: string;
  start(options: StartOptions): Promise<RunningCluster>;
}

export type { ContainerRef };

/** Process 1 of a container. With `command`: the only process of that container's node whose command line it matches instead. */
export interface ProcessRef extends ContainerRef {
  /** A regular expression. */
  readonly command?: string;
}

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
  /** Operations per second. */
  readonly rate: number;
  /** Expected files by their path relative to `path`, with the SHA-256 of their content in hex. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a process tree uses. */
export interface Usage {
  /** Memory that is not backed by files (RssAnon). */
  readonly anonymousBytes: number;
  readonly residentBytes: number;
  /** User and system time since its start. */
  readonly cpuMs: number;
  readonly processes: number;
}

/** A program in a container, until it ends or is disposed of. Its lines become `output` events. */
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

/** What of Rekindle is installed in a cluster: by `deploy` of this version or of the last release, or by this version's Helm chart. */
export type Installation = 'this version' | 'last release' | 'chart' | 'nothing';

/** Installs agent and webhook in other ways than the run has done. */
export interface Installations {
  /** Takes the place of what is installed. Resolves once it is ready on all nodes, or gone. */
  install(wanted: Installation): Promise<void>;
  /** Titles of the objects in the cluster that have Rekindle's label. */
  objects(): Promise<readonly string[]>;
}

/** What the node program does. The program implements these, and both clusters derive theirs by calling it. */
export interface NodeVerbs {
  /** Puts an object into the bucket. */
  putObject(key: string, body: Uint8Array): Promise<void>;
  /** Status of a GET request to the object store, as a pod of the cluster would send it. */
  askStore(path: string, headers: Readonly<Record<string, string>>): Promise<number>;
  /** Starts one of the harness's own programs on the node. */
  runProgram(run: ProgramRun): Promise<RunningProgram>;
  /** Signals a process from outside, as the OOM killer does. Resolves with the time of kill(2). */
  kill(target: ProcessRef, signal: NodeJS.Signals): Promise<number>;
  /** Processes of a container's node whose command line matches. */
  processes(target: ProcessRef): Promise<readonly NodeProcess[]>;
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
  processes: 'value',
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
  /** The probe does not list, because a listing takes so long that it would look like a hang. */
  readonly probeReadsOnly?: boolean;
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
  restartAgent(options: AgentSettings): Promise<void>;
  /** Sends SIGKILL to the agent, which is restarted as any container is. Resolves with the time. */
  killAgent(): Promise<number>;
  /** Stops the agent as a rollout does. Disposing of the result starts it again with the same flags. */
  stopAgent(): Promise<AsyncDisposable>;
  /** What the agent serves at /metrics, in Prometheus' text format. */
  agentMetrics(): Promise<string>;
  /** `HOST:PORT` at which `rekindle status` reaches the agent. Absent on Kubernetes: the API server forwards there. */
  agentStatusAddress?(): Promise<string>;
  /** What the agent's process tree uses now. */
  agentUsage(): Promise<Usage>;
  /**
   * Power off and on: all processes and mounts of the node disappear at once; the pods stay in the API with their UIDs and are
   * started again. Resolves with the time of the power failure, once agent and kubelet run again. Absent without `node-reboot`.
   */
  rebootNode?(): Promise<number>;
  /** Restarts the kubelet of a container's node. Resolves with the time. Absent without `kubelet-restart`. */
  restartKubelet?(target: ContainerRef): Promise<number>;
  /** Sends SIGKILL to the keeper, which is started again as any container is. Resolves with the time. Absent without `takeover`. */
  killKeeper?(): Promise<number>;
  /** Other installations of agent and webhook. Absent without `last-release` and `helm`. */
  readonly installations?: Installations;
  /** Mount points of other programs on the node that somebody has touched. Absent without `node-conditions`. */
  harmedNeighbours?(): Promise<readonly string[]>;
  /** Waits until everything of the namespace is gone: pods, mounts, processes. Resolves with what is left. */
  release(namespace: string): Promise<readonly string[]>;
  /** Writes the cluster's events, logs, states and mount tables into a folder of this name among the diagnostics. */
  collectDiagnostics?(name: string): Promise<void>;
}

/** A member that only some clusters have. Scenarios that use it are skipped on the others. @throws if it is absent */
export function requireMember<
  Name extends 'kubectl' | 'rebootNode' | 'restartKubelet' | 'killKeeper' | 'harmedNeighbours' | 'installations',
>(cluster: RunningCluster, name: Name): NonNullable<RunningCluster[Name]> {
  const member = cluster[name];
  if (member === undefined) throw new Error(`${cluster.name} has no ${name}`);
  return member as NonNullable<RunningCluster[Name]>;
}

import type { HistoryEvent } from '../../../src/timeline/record.ts';
import type { ContainerRef, ProgramName, RunningCluster, Usage } from '../../cluster.ts';
import type { NodeProcedures } from '../../node/procedures.ts';
import type { Reply } from '../../rpc.ts';

/** What a session is told when it begins. */
export interface SessionOptions {
  readonly runId: string;
  /** Namespaces of scenarios begin with it: their containers are watched. */
  readonly namespacePrefix: string;
  /** Pods of the agent's DaemonSet, whose log is read. */
  readonly agent: { readonly namespace: string; readonly podPrefix: string; readonly container: string };
  readonly store: RunningCluster['store'];
  /** Directory of the node: a FUSE daemon waits as long as its file `<namespace>.<pod>` is there. */
  readonly holds: string;
  /** Whether FUSE daemons say that they are ready; otherwise it is found out by statfs. */
  readonly saysReady: boolean;
}

export interface NodeFacts {
  readonly node: string;
  /** Of this boot of the machine: two that say the same have one clock. */
  readonly bootId: string;
  readonly memoryCgroups: boolean;
  /** `6.18.44`, as `uname -r` has it. */
  readonly kernel: string;
}

/** The node program's procedures, beside those of any node. */
export interface NodeProgramProcedures extends NodeProcedures {
  start(options: SessionOptions): Promise<NodeFacts>;
  /** CLOCK_MONOTONIC now, in nanoseconds. */
  ping(argument: Record<never, never>): Promise<number>;
  putObject(argument: { readonly key: string; readonly base64: string }): Promise<void>;
  /** Status of a GET request. */
  fetchStatus(argument: { readonly url: string; readonly headers: Readonly<Record<string, string>> }): Promise<number>;
  /** Resolves when the program has ended. No target: in the node's mount namespace. */
  runProgram(argument: {
    readonly program: ProgramName;
    readonly args: readonly string[];
    readonly name: string;
    readonly id: number;
    readonly target?: ContainerRef;
  }): Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  /** SIGKILL to what an exec has started in a container, told by its arguments. */
  endExec(argument: { readonly target: ContainerRef; readonly command: readonly string[] }): Promise<void>;
  /** Until ended with this id. */
  hold(argument: { readonly target: ContainerRef; readonly id: number }): Promise<void>;
  /** By the node's systemd. Returns when it was asked. */
  restartKubelet(argument: Record<never, never>): Promise<number>;
  /** Detaches what a pod's sidecars have left mounted, when all of its containers have ended. */
  releaseShared(argument: { readonly podUid: string }): Promise<void>;
  usage(argument: { readonly target: ContainerRef }): Promise<Usage>;
  /** What a namespace's pods and datasets left on the node, once its pods are gone. */
  leftovers(argument: { readonly namespace: string }): Promise<readonly string[]>;
}

/** What a session says unasked; what happened is a line of its own, as the history has it. */
export type NodeNews =
  | HistoryEvent
  /** What a container wrote, for the results' logs: a line of `<namespace>/<pod>/<container>`. */
  | { readonly log: string; readonly text: string };

export type NodeMessage = Reply | NodeNews;

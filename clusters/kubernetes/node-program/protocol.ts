import type { HistoryEvent } from '../../../src/timeline/record.ts';
import type { ContainerRef, NodeVerbs, RunningCluster, Usage } from '../../cluster.ts';
import type { Reply } from '../../rpc.ts';
import type { ServingDaemon } from './serving-daemon.ts';

export interface SessionOptions {
  readonly runId: string;
  /** The namespaces of scenarios begin with it. Their containers are watched. */
  readonly namespacePrefix: string;
  /** Pods of the agent's DaemonSet, whose log is read. */
  readonly agent: { readonly namespace: string; readonly podPrefix: string; readonly container: string };
  readonly store: RunningCluster['store'];
  /** Whether the output of containers is sent to the harness. Structured lines of daemons and agent are in any case. */
  readonly sendsLogs: boolean;
  /** A directory of the node. A FUSE daemon waits while its file `<namespace>.<pod>` is there. */
  readonly holds: string;
  /** In CI: mount tables are read once more by findmnt. */
  readonly confirmsMounts: boolean;
  /** FUSE daemons are our fake, which reports when it is ready. Otherwise statfs finds out. */
  readonly fakeDaemon: boolean;
}

export interface NodeFacts {
  readonly node: string;
  /** The boot id of the machine. Nodes with the same one have the same clock. */
  readonly bootId: string;
  readonly memoryCgroups: boolean;
  /** As `uname -r` prints it: `6.18.44`. */
  readonly kernel: string;
}

/** The procedures of the node program on a cluster: the verbs of any node, and what only a real node needs. */
export interface PodNodeProcedures extends NodeVerbs {
  start(options: SessionOptions): Promise<NodeFacts>;
  /** CLOCK_MONOTONIC in nanoseconds. */
  ping(): Promise<number>;
  /** Sends SIGKILL to the program that an exec started in a container, identified by its arguments. */
  endExec(target: ContainerRef, command: readonly string[]): Promise<void>;
  /** Uses the node's systemd. Resolves with the time of the request. */
  restartKubelet(): Promise<number>;
  /** Detaches what a pod's sidecars left mounted, once all of its containers have ended. */
  releaseShared(podUid: string): Promise<void>;
  usage(target: ContainerRef): Promise<Usage>;
  /** Who serves the FUSE mount at a path of a container. @throws Error if that is not exactly one container or process */
  servingDaemon(target: ContainerRef, path: string): Promise<ServingDaemon>;
  /** Sends SIGKILL to these processes. Resolves with the time. @throws Error if others serve it meanwhile */
  killServingDaemon(target: ContainerRef, path: string, pids: readonly number[]): Promise<number>;
  /** SHA-256 in hex of a few small files at a path of a container, as its user reads them. Empty if none is found in ten seconds. */
  sampleFiles(target: ContainerRef, path: string): Promise<Readonly<Record<string, string>>>;
  /** What is left on the node of a namespace's pods and datasets, once its pods are gone. */
  leftovers(namespace: string): Promise<readonly string[]>;
}

/** What a session reports. An event is sent as it is recorded in the history. */
export type NodeNews =
  | HistoryEvent
  /** A line of a container's output for the results' logs. `log`: `<namespace>/<pod>/<container>`. */
  | { readonly log: string; readonly text: string };

export type NodeMessage = Reply | NodeNews;

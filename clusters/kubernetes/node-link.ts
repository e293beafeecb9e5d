import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterEvent, ContainerRef } from '../cluster.ts';
import { connect } from '../rpc.ts';
import { type ClockOffset, type ClockReading, clockOffset, toOurClockEvent } from './clock.ts';
import { startExec } from './exec.ts';
import type { NodeFacts, NodeNews, PodNodeProcedures, SessionOptions } from './node-program/protocol.ts';
import { connectionCommand, sessionFolder } from './node-program/session.ts';
import { resumingChannel } from './resuming-channel.ts';

export interface NodeLinkOptions {
  readonly kubeConfig: KubeConfig;
  /** The node program's pod. */
  readonly pod: ContainerRef;
  readonly session: SessionOptions;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onLog: (container: string, text: string) => void;
}

/** A connection to a node. Its events are on this machine's clock. */
export interface NodeLink extends Disposable {
  readonly facts: NodeFacts;
  readonly clock: ClockOffset;
  readonly remote: PodNodeProcedures;
  /** Converts a time on the node's clock. */
  readonly toOurClock: (remoteNs: number) => number;
}

const pings = 15;

export async function openNodeLink(options: NodeLinkOptions): Promise<NodeLink> {
  const { kubeConfig, pod, session, onEvent, onLog } = options;
  const folder = sessionFolder(session.runId);
  const channel = resumingChannel<NodeNews>({
    connect: (offset) => startExec({ kubeConfig, target: pod, command: connectionCommand(folder, offset) }),
    onReconnect: (reason) => onLog(`${pod.namespace}/${pod.pod}/session`, `reconnecting: ${reason}`),
  });
  let offsetNs = 0;
  const remote = connect<PodNodeProcedures, NodeNews>(channel, {
    name: `the session with ${pod.pod}`,
    onNews: (news) => ('log' in news ? onLog(news.log, news.text) : onEvent(toOurClockEvent(news, offsetNs))),
  });
  try {
    const clock = await readClock(remote);
    const facts = await remote.start(session);
    // The nodes of kind are containers of this machine, so they share its clock.
    const same = facts.bootId === readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const known = same ? { offsetNs: 0, errorNs: 0 } : clock;
    offsetNs = known.offsetNs;
    const toOurClock = (remoteNs: number) => remoteNs - offsetNs;
    return { facts, clock: known, remote, toOurClock, [Symbol.dispose]: () => channel[Symbol.dispose]() };
  } catch (error) {
    channel[Symbol.dispose]();
    throw error;
  }
}

async function readClock(remote: PodNodeProcedures): Promise<ClockOffset> {
  const readings: ClockReading[] = [];
  for (let ping = 0; ping < pings; ping++) {
    const sentAt = now();
    readings.push({ sentAt, remote: await remote.ping(), receivedAt: now() });
  }
  return clockOffset(readings);
}

function now(): number {
  return Number(process.hrtime.bigint());
}

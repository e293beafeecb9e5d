import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { monotonicNow } from '../../recovery/clock.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { ClusterEvent, ContainerRef } from '../cluster.ts';
import { connect } from '../rpc.ts';
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
    const sentAt = monotonicNow();
    readings.push({ sentAt, remote: await remote.ping(), receivedAt: monotonicNow() });
  }
  return clockOffset(readings);
}

/** One reading of a node's monotonic clock, in nanoseconds. `sentAt` and `receivedAt` are on this machine's clock. */
export interface ClockReading {
  readonly sentAt: number;
  readonly remote: number;
  readonly receivedAt: number;
}

/** The node's clock minus this machine's, and the largest possible error. */
export interface ClockOffset {
  readonly offsetNs: number;
  readonly errorNs: number;
}

/** Uses the reading with the shortest round trip, as NTP does, because its error is the smallest. */
export function clockOffset(readings: readonly ClockReading[]): ClockOffset {
  const [best] = readings.toSorted((a, b) => a.receivedAt - a.sentAt - (b.receivedAt - b.sentAt));
  if (!best) return { offsetNs: 0, errorNs: Number.POSITIVE_INFINITY };
  const roundTripNs = best.receivedAt - best.sentAt;
  return { offsetNs: best.remote - (best.sentAt + roundTripNs / 2), errorNs: roundTripNs / 2 };
}

/** Converts the times of a node's event to this machine's clock. */
export function toOurClockEvent(event: HistoryEvent, offsetNs: number): HistoryEvent {
  const at = event.at - offsetNs;
  switch (event.kind) {
    case 'probe':
      return { ...event, at, startedAt: event.startedAt - offsetNs, finishedAt: event.finishedAt - offsetNs };
    case 'hang':
      return { ...event, at, since: event.since - offsetNs };
    default:
      return { ...event, at };
  }
}

import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterEvent, ContainerRef } from '../cluster.ts';
import { connect, type Reply } from '../rpc.ts';
import { type ClockOffset, type ClockReading, clockOffset, onOurClock } from './clock.ts';
import { execConversation } from './conversation/exec-conversation.ts';
import type { NodeFacts, NodeNews, PodNodeProcedures, SessionOptions } from './node-program/protocol.ts';

export interface NodeLinkOptions {
  readonly kubeConfig: KubeConfig;
  /** The node program's pod. */
  readonly pod: ContainerRef;
  readonly session: SessionOptions;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onLog: (container: string, text: string) => void;
}

/** A session with a node: what it says of times is on this machine's clock. */
export interface NodeLink extends Disposable {
  readonly facts: NodeFacts;
  readonly clock: ClockOffset;
  readonly remote: PodNodeProcedures;
  /** A moment of the node's as one of this machine's. */
  readonly toOurClock: (remoteNs: number) => number;
}

const pings = 15;

export async function openNodeLink(options: NodeLinkOptions): Promise<NodeLink> {
  const { kubeConfig, pod, session, onEvent, onLog } = options;
  let take = (_message: Reply | NodeNews): void => {};
  let end = (_reason: string): void => {};
  const conversation = execConversation({
    kubeConfig,
    pod,
    onLine: (line) => take(JSON.parse(line) as Reply | NodeNews),
    onReconnect: (reason) => onLog(`${pod.namespace}/${pod.pod}/session`, `reconnecting: ${reason}`),
    onEnd: (reason) => end(reason),
  });
  let offsetNs = 0;
  const remote = connect<PodNodeProcedures, NodeNews>(
    {
      send: (request) => conversation.send(JSON.stringify(request)),
      onMessage: (taker) => (take = taker),
      onEnd: (ender) => (end = ender),
    },
    {
      name: `the session with ${pod.pod}`,
      onNews: (news) => ('log' in news ? onLog(news.log, news.text) : onEvent(onOurClock(news, offsetNs))),
    },
  );
  try {
    const clock = await readClock(remote);
    const facts = await remote.start(session);
    // Two that were booted as one have one clock: containers of this machine, as kind's nodes are.
    const same = facts.bootId === readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const known = same ? { offsetNs: 0, errorNs: 0 } : clock;
    offsetNs = known.offsetNs;
    const toOurClock = (remoteNs: number) => remoteNs - offsetNs;
    return { facts, clock: known, remote, toOurClock, [Symbol.dispose]: () => conversation.close() };
  } catch (error) {
    conversation.close();
    throw error;
  }
}

async function readClock(remote: PodNodeProcedures): Promise<ClockOffset> {
  const readings: ClockReading[] = [];
  for (let ping = 0; ping < pings; ping++) {
    const asked = now();
    readings.push({ asked, remote: await remote.ping(), answered: now() });
  }
  return clockOffset(readings);
}

function now(): number {
  return Number(process.hrtime.bigint());
}

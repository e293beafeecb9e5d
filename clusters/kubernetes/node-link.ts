import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterEvent, ContainerRef } from '../cluster.ts';
import { connect, type Remote, type Reply } from '../rpc.ts';
import { type ClockOffset, type ClockReading, clockOffset, onOurClock } from './clock.ts';
import { execConversation } from './conversation/exec-conversation.ts';
import type { NodeFacts, NodeNews, NodeProgramProcedures, SessionOptions } from './node-program/protocol.ts';

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
  readonly call: Remote<NodeProgramProcedures>['call'];
  /** A moment of the node's as one of this machine's. */
  readonly ours: (remoteNs: number) => number;
}

const pings = 15;

export async function openNodeLink(options: NodeLinkOptions): Promise<NodeLink> {
  const { kubeConfig, pod, session, onEvent, onLog } = options;
  let take = (_message: Reply | NodeNews): void => {};
  let end = (_why: string): void => {};
  const conversation = execConversation({
    kubeConfig,
    pod,
    onLine: (line) => take(JSON.parse(line) as Reply | NodeNews),
    onCut: (why) => onLog(`${pod.namespace}/${pod.pod}/session`, `connecting again: ${why}`),
    onEnd: (why) => end(why),
  });
  let offsetNs = 0;
  const remote = connect<NodeProgramProcedures, NodeNews>(
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
    const facts = await remote.call('start', session);
    // Two that were booted as one have one clock: containers of this machine, as kind's nodes are.
    const same = facts.bootId === readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const known = same ? { offsetNs: 0, errorNs: 0 } : clock;
    offsetNs = known.offsetNs;
    const ours = (remoteNs: number) => remoteNs - offsetNs;
    return { facts, clock: known, call: remote.call, ours, [Symbol.dispose]: () => conversation.close() };
  } catch (error) {
    conversation.close();
    throw error;
  }
}

async function readClock(remote: Remote<NodeProgramProcedures>): Promise<ClockOffset> {
  const readings: ClockReading[] = [];
  for (let ping = 0; ping < pings; ping++) {
    const asked = now();
    readings.push({ asked, remote: await remote.call('ping', {}), answered: now() });
  }
  return clockOffset(readings);
}

function now(): number {
  return Number(process.hrtime.bigint());
}

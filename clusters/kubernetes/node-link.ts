import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterEvent, ContainerRef } from '../cluster.ts';
import { onLines } from '../node/lines.ts';
import { connect, type Remote, type Reply } from '../rpc.ts';
import { type ClockOffset, type ClockReading, clockOffset, onOurClock } from './clock.ts';
import { startExec } from './exec.ts';
import { bundleFiles, bundleInImage } from './node-program/in-image.ts';
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
  const command = ['node', `${bundleInImage}/${bundleFiles.session}`];
  const running = await startExec({ kubeConfig, target: pod, command });
  let lastWords = '';
  onLines(running.stderr, (text) => (lastWords = `${lastWords}${text}\n`.slice(-600)));
  let offsetNs = 0;
  const remote = connect<NodeProgramProcedures, NodeNews>(
    {
      send: (request) => void running.stdin.write(`${JSON.stringify(request)}\n`),
      onMessage: (take) => onLines(running.stdout, (line) => take(JSON.parse(line) as Reply | NodeNews)),
      onEnd: (take) =>
        void running.exited
          .finally(() => take(lastWords.trim() || 'the connection to its pod was closed'))
          .catch(() => {}),
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
    return { facts, clock: known, call: remote.call, ours, [Symbol.dispose]: () => running.close() };
  } catch (error) {
    running.close();
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

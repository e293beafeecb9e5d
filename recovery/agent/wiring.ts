import { sleepBy } from '../clock.ts';
import { createNodeService, type NodeService } from '../csi/node.ts';
import { Engine } from '../engine/engine.ts';
import type { DeviceId } from '../engine/model.ts';
import type { ClockPort, Recorder } from '../engine/ports.ts';
import { createVolumeLocks } from '../engine/volume-state.ts';
import { readKeptFile } from '../keeper/kept-file.ts';
import { keeperDirectory } from '../keeper/protocol.ts';
import { observeRequests } from '../kubernetes/api-call.ts';
import { placeByNodeLabel } from '../kubernetes/daemon-placement.ts';
import { createEventQueue } from '../kubernetes/event-queue.ts';
import { createEventSender } from '../kubernetes/event-sender.ts';
import { type Kubernetes, watchKubernetes } from '../kubernetes/kubernetes.ts';
import type { Transport } from '../kubernetes/transport.ts';
import type { Kernel } from '../linux/kernel.ts';
import { formatError, type Log } from '../log.ts';
import { startFallback } from './fallback.ts';
import type { AgentOptions } from './flags.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { type OtherPlugin, watchOtherPlugin } from './other-plugin.ts';
import { createRecorder } from './recorder.ts';

/** What an agent runs on: this machine and its API server, or the modelled node of a simulation. */
export interface AgentWorld {
  readonly kernel: Omit<Kernel, 'missing' | 'kubeletProblem' | 'readNodeFile' | typeof Symbol.asyncDispose>;
  readonly transport: Transport;
  /** With credentials that may patch the node. Throws if there are none. */
  readonly nodeTransport: () => Transport;
  readonly clock: ClockPort;
  /** For the dates of Kubernetes events. */
  readonly now: () => Date;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Returns the given number of random hexadecimal digits. */
  readonly randomHex: (digits: number) => string;
  readonly log: Log;
  /** Receives each decision of the engine before log, metrics and Kubernetes do. */
  readonly onDecision?: Recorder;
}

export type WiringOptions = Pick<
  AgentOptions,
  | 'nodeId'
  | 'mountRoot'
  | 'kubeletRoot'
  | 'policy'
  | 'standby'
  | 'takeover'
  | 'resyncPeriod'
  | 'abortHungAfter'
  | 'beside'
  | 'fallback'
>;

/** The parts of an agent that decide and act, without the sockets that it serves. */
export interface WiredAgent {
  readonly engine: Engine;
  readonly kubernetes: Kubernetes;
  readonly metrics: Metrics;
  readonly node: NodeService;
  readonly other: OtherPlugin | undefined;
  readonly recorder: Recorder;
  /** What the agent waits for before it is ready. */
  readonly waiting: Set<string>;
  /** Resolves once the first lists are complete. */
  readonly synced: Promise<unknown>;
  /** Starts the engine, to be called then. */
  start(): AsyncDisposable;
  /** To be disposed of from the last to the first. */
  readonly parts: readonly AsyncDisposable[];
}

/** Joins watches, event queue, engine and CSI service. Only the watches begin to work at once. */
export function wireAgent(options: WiringOptions, world: AgentWorld): WiredAgent {
  const { nodeId, mountRoot, policy, standby, takeover, resyncPeriod, abortHungAfter, beside } = options;
  const { kernel, clock, log, random } = world;
  const locks = createVolumeLocks();
  const ended = new AbortController();
  const waiting = new Set(['the API server']);
  const metrics = createMetrics({
    unhealthy: () =>
      engine.unhealthy().map(({ diagnosis: { site, volume, state }, reason = state }) => {
        return { podUid: site.podUid, volume: volume.name, reason };
      }),
    unproven: () =>
      engine.unproven().map(({ diagnosis: { site, volume }, failures }) => {
        return { podUid: site.podUid, volume: volume.name, reason: failures.at(-1)?.errno ?? 'reading' };
      }),
    pods: () => kubernetes.view().pods,
  });
  const observe = (transport: Transport) => observeRequests(transport, (call) => metrics.requested(call));
  const transport = observe(world.transport);
  const allVolumes = policy.readWriteScope === 'cluster';
  if (allVolumes)
    log.info('all-volumes-watched', { reason: '--read-write-scope=cluster needs the access modes of all' });
  const kubernetes = watchKubernetes({
    ...{ transport, nodeName: nodeId, mountRoot, allVolumes, clock, random },
    onError: (kind, error) => log.warn('watch-failed', { kind, error: formatError(error) }),
    onRecovered: (kind) => log.info('watch-recovered', { kind }),
  });
  const events = wireEvents(world, { transport, nodeId, metrics, signal: ended.signal });
  /** Reports if the other plugin's gate prevents recovery, and starts a pass once it no longer does. */
  const followOtherPlugin = () => {
    if (beside === undefined) return;
    const what = `${beside.namespace}/${beside.name} to be without FuseRecovery=true: it recovers, so this agent does not`;
    if (other?.recovers()) {
      waiting.add(what);
      log.error('refused', { error: `waits for ${what}` });
    } else {
      waiting.delete(what);
      void engine.pass('kubernetes');
    }
  };
  const other =
    beside === undefined
      ? undefined
      : watchOtherPlugin({
          ...{ transport, plugin: beside, clock, random },
          onError: (error) => log.warn('watch-failed', { kind: 'daemonsets', error: formatError(error) }),
          onRecovered: () => log.info('watch-recovered', { kind: 'daemonsets' }),
          onChange: followOtherPlugin,
        });
  const report = createRecorder({ log, metrics, events, kubernetes });
  const recorder: Recorder = (decision) => {
    world.onDecision?.(decision);
    report(decision);
  };
  const engine = new Engine({
    ...{ kernel, kubernetes, clock, locks, recorder, standby, resyncPeriod },
    policy: () => (other?.recovers() ? { ...policy, enabled: false } : policy),
    kubeletRoot: () => kernel.kubeletDirectory(),
    ...(takeover ? { keptUntil } : {}),
    ...(abortHungAfter === undefined ? {} : { abortHungAfter }),
  });
  const node = createNodeService({
    ...{ nodeId, mountRoot, kubeletRoot: options.kubeletRoot, standby },
    ...{ kernel, publisher: kernel, locks, unproven: () => engine.unproven(), clock },
    onReplaced: (volume, devices) => engine.remember(volume, devices),
    placement: placeByNodeLabel({
      ...{ nodeName: nodeId, transport, hostMounts: () => kernel.hostMounts() },
      nodeTransport: () => observe(world.nodeTransport()),
    }),
  });
  return {
    ...{ engine, kubernetes, metrics, node, other, waiting, recorder },
    synced: Promise.all([kubernetes.synced, other?.synced]),
    start() {
      waiting.delete('the API server');
      engine.start();
      return options.fallback
        ? startFallback({ engine, kubernetes, kernel, transport, clock, recorder })
        : { [Symbol.asyncDispose]: async () => undefined };
    },
    parts: [
      { [Symbol.asyncDispose]: async () => ended.abort() },
      ...[kubernetes, events, other, engine].filter((part) => part !== undefined),
    ],
  };
}

function wireEvents(
  { clock, now, randomHex, log }: AgentWorld,
  {
    transport,
    nodeId,
    metrics,
    signal,
  }: { transport: Transport; nodeId: string; metrics: Metrics; signal: AbortSignal },
) {
  return createEventQueue({
    sender: createEventSender({ transport, nodeName: nodeId, randomHex, now, signal, clock }),
    now,
    sleep: sleepBy(clock),
    onDropped({ reason, object }, why, error) {
      metrics.eventDropped(why);
      const name = `${object.kind} ${object.namespace}/${object.name}`;
      const cause = error === undefined ? {} : { error: formatError(error) };
      log.warn('event-dropped', { reason, object: name, why, ...cause });
    },
  });
}

/** Reads a small file of a tmpfs, and only for a connection that does not answer. */
const keptUntil = (device: DeviceId) => readKeptFile(keeperDirectory).find((each) => each.device === device)?.until;

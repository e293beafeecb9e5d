import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { monotonicClock as clock } from '../clock.ts';
import { Engine } from '../engine/engine.ts';
import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import { MountTree } from '../engine/mount-sites.ts';
import { createVolumeLocks } from '../engine/volume-state.ts';
import { readKeptFile } from '../keeper/kept-file.ts';
import { keeperDirectory } from '../keeper/protocol.ts';
import { observeRequests } from '../kubernetes/api-call.ts';
import { createEventQueue } from '../kubernetes/event-queue.ts';
import { createEventSender } from '../kubernetes/event-sender.ts';
import { watchKubernetes } from '../kubernetes/kubernetes.ts';
import { createTransport } from '../kubernetes/transport.ts';
import { type Kernel, openKernel } from '../linux/kernel.ts';
import { openFilesLimit } from '../linux/processes.ts';
import { formatError, type Log } from '../log.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { startDriver } from './driver.ts';
import { startFallback } from './fallback.ts';
import type { AgentOptions } from './flags.ts';
import { serveHttp } from './http.ts';
import { createMetrics } from './metrics.ts';
import { createNodeStatus } from './node-status.ts';
import { watchOtherPlugin } from './other-plugin.ts';
import { createRecorder } from './recorder.ts';
import { version } from './version.ts';

/** Less than the kubelet waits for /livez. */
const proberTimeout = 4_000_000_000n;

export interface StartAgentOptions {
  readonly options: AgentOptions;
  readonly kubeConfig: KubeConfig;
  /** Starts the prober of a bundle. */
  readonly prober: readonly string[] | undefined;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Aborts the start. */
  readonly signal: AbortSignal;
}

/**
 * Starts everything: first what can fail for good, then the CSI socket, so that pods can be published while the API server
 * is away, and the engine once the first lists are complete. Resolves when all of it runs. Rejects with `CannotStart`.
 */
export async function startAgent({
  options,
  kubeConfig,
  prober,
  log,
  random,
  signal,
}: StartAgentOptions): Promise<AsyncDisposable> {
  const { nodeId, mountRoot, policy, standby, takeover, resyncPeriod, abortHungAfter, beside } = options;
  await using parts = new AsyncDisposableStack();
  const kernel = parts.use(openKernelFor(options, prober, log));
  // The two plugins share no lock, and only this tier never removes mounts of the other.
  if (beside !== undefined && kernel.tier !== '6.5')
    throw new CannotStart(`--beside needs mounts to be replaced beneath, this is tier ${kernel.tier}: boot Linux 6.5`);
  // Each part of the start has a turn of the event loop of its own, because no turn may take 20 ms of CPU.
  const turn = async () => {
    await nextTurn();
    signal.throwIfAborted();
  };
  await turn();
  const locks = createVolumeLocks();
  const ended = new AbortController();
  parts.defer(() => ended.abort());

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
  const allVolumes = policy.readWriteScope === 'cluster';
  if (allVolumes)
    log.info('all-volumes-watched', { reason: '--read-write-scope=cluster needs the access modes of all' });
  const transport = observeRequests(createTransport(kubeConfig, clock), (call) => metrics.requested(call));
  const kubernetes = parts.use(
    watchKubernetes({
      transport,
      nodeName: nodeId,
      mountRoot,
      allVolumes,
      clock,
      random,
      onError: (kind, error) => log.warn('watch-failed', { kind, error: formatError(error) }),
      onRecovered: (kind) => log.info('watch-recovered', { kind }),
    }),
  );
  const events = parts.use(
    createEventQueue({
      sender: createEventSender({
        transport,
        nodeName: nodeId,
        randomHex: (digits) =>
          randomBytes(Math.ceil(digits / 2))
            .toString('hex')
            .slice(0, digits),
        now: () => new Date(),
        signal: ended.signal,
        clock,
      }),
      now: () => new Date(),
      sleep: (ms, until) => sleep(ms, undefined, { signal: until, ref: false }),
      onDropped({ reason, object }, why, error) {
        metrics.eventDropped(why);
        const name = `${object.kind} ${object.namespace}/${object.name}`;
        log.warn('event-dropped', {
          reason,
          object: name,
          why,
          ...(error === undefined ? {} : { error: formatError(error) }),
        });
      },
    }),
  );
  const other =
    beside === undefined
      ? undefined
      : parts.use(
          watchOtherPlugin({
            transport,
            plugin: beside,
            clock,
            random,
            onError: (error) => log.warn('watch-failed', { kind: 'daemonsets', error: formatError(error) }),
            onRecovered: () => log.info('watch-recovered', { kind: 'daemonsets' }),
            onChange: () => followOtherPlugin(),
          }),
        );
  const recorder = createRecorder({ log, metrics, events, kubernetes });
  const engine = parts.use(
    new Engine({
      kernel,
      kubernetes,
      clock,
      locks,
      recorder,
      policy: () => (other?.recovers() ? { ...policy, enabled: false } : policy),
      kubeletRoot: () => kernel.kubeletDirectory(),
      standby,
      ...(takeover ? { keptUntil } : {}),
      resyncPeriod,
      ...(abortHungAfter === undefined ? {} : { abortHungAfter }),
    }),
  );

  const waiting = new Set(['the API server']);
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
  const missing = () => {
    const problem = other?.problem();
    return [
      ...[...waiting, ...[kernel.missing() ?? kernel.kubeletProblem() ?? []].flat()].map(
        (what) => `waiting for ${what}`,
      ),
      ...kubernetes.problems(),
      ...(problem === undefined ? [] : [`daemonsets: ${problem}`]),
    ];
  };
  await turn();
  const http = parts.use(
    await orCannotStart(
      () =>
        serveHttp({
          open: options.metrics,
          local: options.status,
          metrics,
          missing,
          defect: () => proberDefect(kernel),
          status: createNodeStatus({ options, kernel, engine, kubernetes, clock, missing }),
        }),
      'choose another --metrics-addr or --status-addr, port 0 takes a free one',
    ),
  );
  log.info('listening', { metrics: http.addresses.open, status: http.addresses.local });
  const shortage = standby ? descriptorShortage(openFilesLimit()) : undefined;
  if (shortage !== undefined) log.warn('standbys-limited', { error: shortage });
  await turn();
  const driver =
    options.csi === undefined
      ? undefined
      : parts.use(
          await startDriver({
            options,
            csi: options.csi,
            kernel,
            locks,
            unproven: () => engine.unproven(),
            waiting,
            log,
          }),
        );
  await Promise.race([Promise.all([kubernetes.synced, other?.synced]), aborted(signal)]);
  waiting.delete('the API server');
  await turn();
  engine.start();
  if (options.fallback) parts.use(startFallback({ engine, kubernetes, kernel, transport, clock, recorder }));
  log.info('ready', {
    metrics: http.addresses.open,
    status: http.addresses.local,
    socket: driver?.socket,
    node: nodeId,
    tier: kernel.tier,
    recovery: policy.enabled,
    version,
  });
  return parts.move();
}

/** Descriptors for 1,000 consumers, a clone and a pidfd each, and for everything else. */
const neededDescriptors = 2_600;

/** Why not all failovers of a full node can be prepared; the others take a few milliseconds longer. */
export function descriptorShortage(limit: number): string | undefined {
  if (limit >= neededDescriptors) return undefined;
  return `this process may have ${limit} files open, and needs ${neededDescriptors} to prepare failovers of 1,000 pods: raise the limit of open files (LimitNOFILE) of the container runtime`;
}

/** Reads a small file of a tmpfs, and only for a connection that does not answer. */
const keptUntil = (device: DeviceId) => readKeptFile(keeperDirectory).find((each) => each.device === device)?.until;

function openKernelFor(
  { kernelTier, nodeMountNamespace, kubeletRoot, standby }: AgentOptions,
  prober: readonly string[] | undefined,
  log: Log,
): Kernel {
  const opened = openKernel({
    kubeletRoot,
    standby,
    onKubelet: (missing) =>
      missing === undefined ? log.info('kubelet-found', {}) : log.warn('kubelet-lost', { missing }),
    onUnknownContainer: (pid, reason) => log.info('container-unknown', { pid, reason }),
    ...(kernelTier === undefined ? {} : { tier: kernelTier }),
    ...(nodeMountNamespace === undefined ? {} : { nodeMountNamespace }),
    ...(prober === undefined ? {} : { proberCommand: prober }),
  });
  if (opened.ok) return opened.value;
  const { errno, call, path, step, remedy } = opened.failure;
  throw new CannotStart(`the mount calls of this kernel cannot be used: ${call} ${path} ${errno} (${step}): ${remedy}`);
}

/** Without its prober the agent neither notices a dead daemon nor publishes a volume. No daemon serves /proc, so it answers at once. */
async function proberDefect(kernel: Pick<Kernel, 'hostMounts' | 'ask' | 'missing'>): Promise<string | undefined> {
  const table = kernel.hostMounts();
  const proc = table.ok ? new MountTree(table.value).top('/proc') : undefined;
  if (proc === undefined || kernel.missing() !== undefined) return undefined;
  const deadline = (clock.now() + proberTimeout) as Nanoseconds;
  const answer = await kernel.ask({ site: { kind: 'source', path: '/proc' }, device: proc.device, deadline });
  return answer.status === 'live' ? undefined : `the prober does not answer (${answer.status})`;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(signal.reason);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { monotonicClock as clock } from '../clock.ts';
import type { Nanoseconds } from '../engine/model.ts';
import { MountTree } from '../engine/mount-sites.ts';
import type { Recorder } from '../engine/ports.ts';
import { createTransport } from '../kubernetes/transport.ts';
import { type Kernel, type KernelOptions, openKernel } from '../linux/kernel.ts';
import { openFilesLimit } from '../linux/processes.ts';
import type { Log } from '../log.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { startDriver } from './driver.ts';
import type { AgentOptions } from './flags.ts';
import { serveHttp } from './http.ts';
import { loadKubeletConfig } from './kube-config.ts';
import { createNodeStatus } from './node-status.ts';
import { version } from './version.ts';
import { wireAgent } from './wiring.ts';

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
  const { nodeId, policy, standby, beside } = options;
  await using parts = new AsyncDisposableStack();
  let recorder: Recorder | undefined;
  const onUnknownContainer: KernelOptions['onUnknownContainer'] = ({ pid, podUid, reason }) => {
    if (podUid !== undefined && recorder !== undefined)
      recorder({ event: 'unidentified', podUid, pid, detail: reason });
    else log.info('container-unknown', { pid, reason });
  };
  const kernel = parts.use(openKernelFor(options, prober, { log, onUnknownContainer }));
  // The two plugins share no lock, and only this tier never removes mounts of the other.
  if (beside !== undefined && kernel.tier !== '6.5')
    throw new CannotStart(`--beside needs mounts to be replaced beneath, this is tier ${kernel.tier}: boot Linux 6.5`);
  // Each part of the start has a turn of the event loop of its own, because no turn may take 20 ms of CPU.
  const turn = async () => {
    await nextTurn();
    signal.throwIfAborted();
  };
  await turn();
  const transport = createTransport(kubeConfig, clock);
  const randomHex = (digits: number) =>
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits);
  // Read for each change, because the kubelet renews its certificate.
  const nodeConfig = () =>
    options.patchNodes === 'kubelet'
      ? loadKubeletConfig(options.kubeletKubeConfig, (path) => kernel.readNodeFile(path), kubeConfig)
      : undefined;
  const nodeTransport = () => createTransport(nodeConfig() ?? kubeConfig, clock);
  const now = () => new Date();
  const wired = wireAgent(options, { kernel, transport, nodeTransport, clock, now, random, randomHex, log });
  for (const part of wired.parts) parts.use(part);
  const { engine, kubernetes, metrics, node, other, waiting } = wired;
  recorder = wired.recorder;
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
            csi: options.csi,
            node,
            waiting,
            log,
          }),
        );
  await Promise.race([wired.synced, aborted(signal)]);
  await turn();
  parts.use(wired.start());
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

function openKernelFor(
  { kernelTier, nodeMountNamespace, kubeletRoot, standby }: AgentOptions,
  prober: readonly string[] | undefined,
  { log, onUnknownContainer }: { readonly log: Log } & Pick<KernelOptions, 'onUnknownContainer'>,
): Kernel {
  const opened = openKernel({
    kubeletRoot,
    standby,
    onKubelet: (missing) =>
      missing === undefined ? log.info('kubelet-found', {}) : log.warn('kubelet-lost', { missing }),
    ...(onUnknownContainer === undefined ? {} : { onUnknownContainer }),
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
  const proc = table.ok ? MountTree.of(table.value).top('/proc') : undefined;
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

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { createControllerService } from '../csi/controller.ts';
import { createIdentityService } from '../csi/identity.ts';
import { createNodeService } from '../csi/node.ts';
import { serveRegistration } from '../csi/registration/server.ts';
import { serveCsi } from '../csi/server.ts';
import { createUsageReader } from '../csi/usage/reader.ts';
import { createEngine } from '../engine/engine.ts';
import { createVolumeLocks } from '../engine/locks.ts';
import { type Kernel, openKernel } from '../kernel/kernel.ts';
import { kubeletNamespace } from '../kernel/kubelet-namespace.ts';
import { NamespaceLost } from '../kernel/namespaces.ts';
import { createEventQueue } from '../kubernetes/event-queue.ts';
import { createEventSender } from '../kubernetes/event-sender.ts';
import { watchKubernetes } from '../kubernetes/kubernetes.ts';
import { createTransport } from '../kubernetes/transport.ts';
import { CannotStart } from './cannot-start.ts';
import { monotonicClock as clock } from './clock.ts';
import type { AgentOptions } from './flags.ts';
import { serveHttp } from './http.ts';
import { type Log, told } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { Programs } from './programs.ts';
import { createRecorder } from './recorder.ts';
import { version } from './version.ts';

export interface AgentSetting {
  readonly options: AgentOptions;
  readonly kubeConfig: KubeConfig;
  readonly programs: Programs;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Ends what the start still waits for. */
  readonly signal: AbortSignal;
}

/**
 * Starts everything: first what can fail for good, then the CSI socket, so that pods can be published while the API server
 * is away, and the engine once the watches have told what there is. Resolves when all of it runs. Rejects with `CannotStart`.
 */
export async function startAgent({
  options: asked,
  kubeConfig,
  programs,
  log,
  random,
  signal,
}: AgentSetting): Promise<AsyncDisposable> {
  const options = { ...asked, nodeMountNamespace: nodeNamespace(asked) };
  const { nodeId, endpoint, mountRoot, kubeletRoot, policy, resyncPeriod, abortHungAfter, registration } = options;
  await using parts = new AsyncDisposableStack();
  const kernel = parts.use(openKernelFor(options, programs));
  const locks = createVolumeLocks();
  const ended = new AbortController();
  parts.defer(() => ended.abort());

  const transport = createTransport(kubeConfig);
  const kubernetes = parts.use(
    watchKubernetes({
      transport,
      nodeName: nodeId,
      mountRoot,
      clock,
      random,
      onError: (kind, error) => log.warn('watch-failed', { kind, error: told(error) }),
    }),
  );
  const metrics = createMetrics({
    unwell: () =>
      engine.unwell().map(({ diagnosis: { place, volume, state }, reason = state }) => {
        return { podUid: place.podUid, volume: volume.name, reason };
      }),
    pods: () => kubernetes.view().pods,
  });
  const events = parts.use(
    createEventQueue({
      sender: createEventSender({
        transport,
        nodeName: nodeId,
        randomHex: (digits) =>
          randomBytes(Math.ceil(digits / 2))
            .toString('hex')
            .slice(0, digits),
        signal: ended.signal,
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
          ...(error === undefined ? {} : { error: told(error) }),
        });
      },
    }),
  );
  const engine = parts.use(
    createEngine({
      kernel,
      kubernetes,
      clock,
      locks,
      recorder: createRecorder({ log, metrics, events, kubernetes }),
      policy: () => policy,
      kubeletRoot,
      resyncPeriod,
      ...(abortHungAfter === undefined ? {} : { abortHungAfter }),
    }),
  );

  const waiting = new Set(['the CSI socket', 'the API server']);
  const http = parts.use(
    await orCannotStart(
      () => serveHttp({ ...options.metrics, metrics, missing: () => [...waiting] }),
      'choose another --metrics-addr, port 0 takes a free one',
    ),
  );
  const usage = parts.use(createUsageReader({ command: programs.usage, nodeRoot: nodeRootOf(options), clock }));
  const csi = parts.use(
    await orCannotStart(
      () =>
        serveCsi({
          endpoint,
          clock,
          identity: createIdentityService({ version, ready: () => waiting.size === 0 }),
          node: createNodeService({ nodeId, mountRoot, kubeletRoot, kernel, publisher: kernel, usage, locks, clock }),
          controller: createControllerService(),
          onDefect(call, error) {
            log.error('defect', { call, error: told(error) });
            // In a foreign namespace every further call would do harm: the next instance starts at home.
            if (error instanceof NamespaceLost)
              setImmediate(() => {
                throw error;
              });
          },
        }),
      'choose another --endpoint',
    ),
  );
  waiting.delete('the CSI socket');
  if (registration !== undefined) {
    waiting.add(kubelet);
    parts.use(
      await orCannotStart(
        () =>
          serveRegistration({
            ...registration,
            onStatus(status) {
              if (status.registered) waiting.delete(kubelet);
              else log.error('not-registered', { error: status.error });
            },
          }),
        "mount the kubelet's plugins_registry at --plugin-registration-path",
      ),
    );
  }
  await Promise.race([kubernetes.synced, aborted(signal)]);
  waiting.delete('the API server');
  engine.start();
  log.info('ready', {
    metrics: http.address,
    socket: csi.path,
    node: nodeId,
    tier: kernel.tier,
    recovery: policy.enabled,
    version,
  });
  return parts.move();
}

/** What the driver waits for until the kubelet has taken it. */
const kubelet = 'the kubelet to register the driver';

function nodeNamespace({ nodeMountNamespace }: AgentOptions): string | undefined {
  return nodeMountNamespace === 'kubelet' ? kubeletNamespace('/proc') : nodeMountNamespace;
}

function openKernelFor({ kernelTier, nodeMountNamespace }: AgentOptions, { prober }: Programs): Kernel {
  const opened = openKernel({
    ...(kernelTier === undefined ? {} : { tier: kernelTier }),
    ...(nodeMountNamespace === undefined ? {} : { nodeMountNamespace }),
    ...(prober === undefined ? {} : { proberCommand: prober }),
  });
  if (opened.ok) return opened.value;
  const { errno, call, path, step, remedy } = opened.failure;
  throw new CannotStart(`the mount calls of this kernel cannot be used: ${call} ${path} ${errno} (${step}): ${remedy}`);
}

/** Where the node's mount namespace shows as a path, if it is given as one of a process. */
function nodeRootOf({ nodeMountNamespace }: AgentOptions): string {
  const pid = /^\/proc\/(\d+)\/ns\/mnt$/.exec(nodeMountNamespace ?? '')?.[1];
  return pid === undefined ? '' : `/proc/${pid}/root`;
}

async function orCannotStart<T>(start: () => Promise<T>, remedy: string): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw new CannotStart(`${told(error)}: ${remedy}`, { cause: error });
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(signal.reason);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

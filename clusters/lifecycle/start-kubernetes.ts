import { join } from 'node:path';
import { foreignDaemonProgram } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import { names } from '../../recovery/deploy/index.ts';
import { CannotRun, type Cluster, type RunningCluster, type StartOptions } from '../cluster.ts';
import { connectDocker } from '../images/docker.ts';
import { nodeProgramPods } from '../kubernetes/node-program/daemon-set.ts';
import type { AgentDaemonSet } from '../kubernetes/options.ts';
import { runKubernetesCluster } from '../kubernetes/run.ts';
import { clearNodes } from '../standing/clear-nodes.ts';
import { standUp } from '../standing/stand-up.ts';
import { holdsOf, namespaceOf, runLabel } from '../standing/standing-objects.ts';
import { takeDown } from '../standing/take-down.ts';
import { bringAgent } from './bring-agent.ts';
import { clearFor } from './clear-for.ts';
import { collectDiagnostics } from './diagnostics.ts';
import { explain } from './explain.ts';
import { fidelityOf } from './fidelity.ts';
import { prepareImages } from './images.ts';
import type { OpenPlace, Place } from './place.ts';
import { requireFuse, requireRoom, requireWebhook, versionOf } from './preflight.ts';
import { step } from './step.ts';
import { taintNodes, virtualNodesOf } from './virtual-nodes.ts';

/** Ours, as `deploy` names it. */
const ownAgent: AgentDaemonSet = { namespace: names.namespace, name: names.agent, container: names.agentContainer };

export interface KubernetesOptions {
  readonly place: Place;
  /** An implementation that is there already: neither an agent nor Fluid's controllers are brought. */
  readonly theirs?: AgentDaemonSet;
}

/** A cluster of Kubernetes, wherever: it is opened, filled with what a run needs, and afterwards as it was before, or gone. */
export function kubernetesCluster(kubernetes: KubernetesOptions): Cluster {
  return { name: kubernetes.place.name, start: (options) => start(kubernetes, options) };
}

async function start({ place, theirs }: KubernetesOptions, options: StartOptions): Promise<RunningCluster> {
  const { runId, resultsDir, diagnosticsDir, daemon, signal, onProgress } = options;
  if (daemon && theirs)
    throw new CannotRun([
      { what: `the FUSE pods of ${theirs.name} run a daemon of their own`, remedy: 'leave --daemon away' },
    ]);
  await using life = new AsyncDisposableStack();
  const { open, images, version } = await openWithImages(place, options, life);
  const { kubeConfig, loadImages } = open;
  const nodeProgram = nodeProgramPods(namespaceOf(runId));
  const diagnose = (folder: string): Promise<void> =>
    collectDiagnostics({
      kubeConfig,
      folder,
      nodeProgram,
      isOurs: (namespace) => /^(rekindle-|rk-)/.test(namespace) || namespace === ownAgent.namespace,
    });
  const own = { kubeConfig, runId, signal, onProgress };
  try {
    await requireRoom(kubeConfig);
    await clearFor(open, { ...own, theirs });
    if (loadImages) await step(onProgress, 'loading the images onto the nodes', () => loadImages(images.all));
    if (!open.isForeign) await taintNodes(kubeConfig);
    if (open.leaves === 'cluster')
      life.defer(async () => {
        const told = { onProgress, signal: AbortSignal.timeout(120_000) };
        // A node that is gone, or its program, leaves nothing to clear.
        await clearNodes(kubeConfig, runId).catch(() => {});
        await takeDown({ kubeConfig, of: (id) => id === runId, ...told });
      });
    const fuse =
      daemon && images.fuseClients ? { ...foreignDaemonProgram(daemon), image: images.fuseClients } : undefined;
    const store = await step(onProgress, 'bringing up MinIO, Fluid’s controllers and the node program', () =>
      standUp({ ...own, image: images.harness, fluid: theirs === undefined, fuse }),
    );
    if (theirs === undefined) {
      await bringAgent(open, { ...own, image: images.agent, life });
      await requireWebhook(kubeConfig, namespaceOf(runId));
    }
    await requireFuse(kubeConfig, nodeProgram);
    const virtualNodes = await virtualNodesOf(kubeConfig);
    const running = life.use(
      await runKubernetesCluster({
        ...own,
        name: place.name,
        fidelity: fidelityOf({
          version,
          description: open.description,
          fluid: theirs === undefined,
          daemon: fuse,
          virtualNodes,
        }),
        store,
        nodeProgram,
        holds: holdsOf(runId),
        agent: theirs ?? ownAgent,
        nodesAreOurs: !open.isForeign,
        agentOptions: options.agent,
        saysReady: daemon === undefined,
        resultsDir,
        environment: options.environment,
        onEvent: options.onEvent,
      }),
    );
    const whole = life.move();
    return {
      ...running,
      namespaceLabels: { [runLabel]: runId },
      collectDiagnostics: (name) => diagnose(join(diagnosticsDir, name)),
      async [Symbol.asyncDispose]() {
        await whole[Symbol.asyncDispose]();
        for (const line of open.afterwards) onProgress(line);
      },
    };
  } catch (error) {
    if (!signal.aborted) {
      onProgress('collecting what the cluster shows');
      await diagnose(diagnosticsDir);
    }
    throw explain(error, serverOf(kubeConfig));
  }
}

/**
 * Makes the images while the cluster comes up, which waits more than it works. Where one of the two fails the other is told to
 * stop, and nothing is left.
 */
async function openWithImages(place: Place, options: StartOptions, life: AsyncDisposableStack) {
  const { environment, onProgress, runId, resultsDir, diagnosticsDir, programs, daemon } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const docker = await connectDocker({ environment, signal });
  const first = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const opening = first(
    place.open({ docker, environment, onProgress, runId, resultsDir, diagnosticsDir, signal }).then(async (opened) => {
      const open = life.use(opened);
      return { open, version: await answering(open) };
    }),
  );
  const preparing = first(
    step(onProgress, 'building the images', () =>
      prepareImages(docker, { programs, signal, ...(daemon && { daemon }) }),
    ),
  );
  await Promise.allSettled([opening, preparing]);
  options.signal.throwIfAborted();
  // What failed first is the reason; the other one was told to stop because of it.
  if (failed.signal.aborted) throw failed.signal.reason;
  return { ...(await opening), images: await preparing };
}

/** Its version. @throws CannotRun where the API server does not answer */
async function answering({ kubeConfig }: OpenPlace): Promise<string> {
  try {
    return await versionOf(kubeConfig);
  } catch (error) {
    throw explain(error, serverOf(kubeConfig));
  }
}

const serverOf = (kubeConfig: OpenPlace['kubeConfig']): string =>
  kubeConfig.getCurrentCluster()?.server ?? 'the API server';

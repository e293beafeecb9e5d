import { join } from 'node:path';
import { titleOf } from '../../recovery/deploy/api.ts';
import { deploy, names } from '../../recovery/deploy/index.ts';
import { removeDeployment } from '../../recovery/deploy/remove.ts';
import { CannotRun, type Cluster, type RunningCluster, type StartOptions } from '../cluster.ts';
import { connectDocker } from '../images/docker.ts';
import { nodeProgramPods } from '../kubernetes/node-program/daemon-set.ts';
import type { AgentDaemonSet } from '../kubernetes/options.ts';
import { runKubernetesCluster } from '../kubernetes/run.ts';
import { standUp } from '../standing/stand-up.ts';
import { holdsOf, namespaceOf, runLabel } from '../standing/standing-objects.ts';
import { foreignFluid, standingOf, takeDown } from '../standing/take-down.ts';
import { collectDiagnostics } from './diagnostics.ts';
import { explain } from './explain.ts';
import { fidelityOf } from './fidelity.ts';
import { prepareImages } from './images.ts';
import type { OpenPlace, Place } from './place.ts';
import { requireFuse, requireWebhook, versionOf } from './preflight.ts';
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
  const { runId, resultsDir, diagnosticsDir, signal, onProgress } = options;
  await using life = new AsyncDisposableStack();
  const { open, images } = await openWithImages(place, options, life);
  const { kubeConfig, loadImages } = open;
  const server = kubeConfig.getCurrentCluster()?.server ?? 'the API server';
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
    const version = await versionOf(kubeConfig);
    await refuseOrClear(open, { ...own, theirs });
    if (loadImages) await step(onProgress, 'loading the images onto the nodes', () => loadImages(images.all));
    if (!open.isForeign) await taintNodes(kubeConfig);
    if (open.leaves === 'cluster')
      life.defer(async () => {
        const told = { onProgress, signal: AbortSignal.timeout(120_000) };
        await takeDown({ kubeConfig, of: (id) => id === runId, ...told });
      });
    const store = await step(onProgress, 'bringing up MinIO, Fluid’s controllers and the node program', () =>
      standUp({ ...own, image: images.harness, fluid: theirs === undefined }),
    );
    if (theirs === undefined) {
      const { changed } = await step(onProgress, 'deploying the node agent and the webhook', () =>
        deploy({ ...own, namespace: ownAgent.namespace, image: images.agent }),
      );
      if (open.isForeign && changed.some((line) => /^namespace\/.* created$|daemonset\/.* created$/.test(line)))
        life.defer(async () => {
          const told = { onProgress, signal: AbortSignal.timeout(120_000) };
          await removeDeployment({ kubeConfig, namespace: ownAgent.namespace, ...told });
        });
      await requireWebhook(kubeConfig, namespaceOf(runId));
    }
    await requireFuse(kubeConfig, nodeProgram);
    const virtualNodes = await virtualNodesOf(kubeConfig);
    const running = life.use(
      await runKubernetesCluster({
        ...own,
        name: place.name,
        fidelity: fidelityOf({ version, description: open.description, fluid: theirs === undefined, virtualNodes }),
        store,
        nodeProgram,
        holds: holdsOf(runId),
        agent: theirs ?? ownAgent,
        agentOptions: options.agent,
        resultsDir,
        environment: options.environment,
        onEvent: options.onEvent,
      }),
    );
    const whole = life.move();
    return {
      ...running,
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
    throw explain(error, server);
  }
}

/**
 * Makes the images while the cluster comes up, which waits more than it works. Where one of the two fails the other is told to
 * stop, and nothing is left.
 */
async function openWithImages(place: Place, options: StartOptions, life: AsyncDisposableStack) {
  const { environment, onProgress, runId, resultsDir, diagnosticsDir, programs } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const docker = await connectDocker({ environment, signal });
  const first = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const opening = first(place.open({ docker, environment, onProgress, runId, resultsDir, diagnosticsDir, signal }));
  const preparing = first(step(onProgress, 'building the images', () => prepareImages(docker, { programs, signal })));
  const [opened] = await Promise.allSettled([opening, preparing]);
  if (opened.status === 'fulfilled') life.use(opened.value);
  options.signal.throwIfAborted();
  // What failed first is the reason; the other one was told to stop because of it.
  if (failed.signal.aborted) throw failed.signal.reason;
  return { open: await opening, images: await preparing };
}

interface Clearing {
  readonly kubeConfig: OpenPlace['kubeConfig'];
  readonly runId: string;
  readonly theirs: AgentDaemonSet | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** What other runs left is removed from a cluster of our own; in one of the user's it is a reason not to begin. @throws CannotRun */
async function refuseOrClear(
  { isForeign }: OpenPlace,
  { kubeConfig, runId, theirs, ...told }: Clearing,
): Promise<void> {
  const foreign = theirs === undefined ? await foreignFluid(kubeConfig) : undefined;
  if (foreign !== undefined)
    throw new CannotRun([
      {
        what: `${foreign} is not Rekindle's: another Fluid is installed there`,
        remedy: 'uninstall it first (helm uninstall fluid), or judge it as it is: --profile fluid or ack-fluid',
      },
    ]);
  if (!isForeign) return void (await takeDown({ kubeConfig, of: (id) => id !== runId, ...told }));
  const others = (await standingOf(kubeConfig)).map(titleOf);
  if (others.length === 0) return;
  throw new CannotRun([
    {
      what: `another run is going on there, or was killed (${others.join(', ')})`,
      remedy: `wait for it, or remove what it left: kubectl delete crd,ns,clusterrole,clusterrolebinding -l ${runLabel}`,
    },
  ]);
}

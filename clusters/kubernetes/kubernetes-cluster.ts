import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { foreignDaemonProgram } from '../../fakes/foreign-daemons/foreign-daemon.ts';
import { names } from '../../recovery/deploy/index.ts';
import { CannotRun, type Capability, type Cluster, type RunningCluster, type StartOptions } from '../cluster.ts';
import type { DeployedAgent } from './agent-control.ts';
import { deployAgent } from './deploy-agent.ts';
import { collectDiagnostics } from './diagnostics.ts';
import { connectDocker } from './docker.ts';
import { explain } from './explain.ts';
import { describeFidelity } from './fidelity.ts';
import { prepareImages } from './images.ts';
import { createInstallations, hasHelm, hasLastRelease } from './installations.ts';
import { nodeProgramPods } from './node-program/daemon-set.ts';
import { kubernetesVersion, requireFuse, requireNoPressure, requireWebhook } from './preflight.ts';
import { type ClusterProvider, step } from './provider.ts';
import { removeNodeDirectories, removeRuns, requireNoOther } from './remove-run.ts';
import { applyRunObjects, holdsDirectory, runLabel, runNamespace } from './run-objects.ts';
import { runKubernetesCluster } from './running-cluster.ts';
import { taintNodes, virtualNodeNames } from './virtual-nodes.ts';

/** Our own agent, under the names that `rekindle deploy` uses. */
const ownAgent: DeployedAgent = { namespace: names.namespace, name: names.agent, container: names.agentContainer };

/**
 * A Kubernetes cluster that is opened, filled with what a run needs, and afterwards restored or deleted. `theirs`: an
 * implementation that is already installed; then neither our agent nor Fluid's controllers are deployed.
 */
export function kubernetesCluster(provider: ClusterProvider, theirs?: DeployedAgent): Cluster {
  return { name: provider.name, start: (options) => start(provider, theirs, options) };
}

async function start(
  provider: ClusterProvider,
  theirs: DeployedAgent | undefined,
  options: StartOptions,
): Promise<RunningCluster> {
  const { runId, resultsDir, diagnosticsDir, daemon, signal, onProgress } = options;
  if (daemon && theirs)
    throw new CannotRun([
      { what: `the FUSE pods of ${theirs.name} run a daemon of their own`, remedy: 'omit --daemon' },
    ]);
  await using life = new AsyncDisposableStack();
  const { cluster, images, version } = await openWithImages(provider, options, life);
  const { kubeConfig, loadImages, isForeign } = cluster;
  const nodeProgram = nodeProgramPods(runNamespace(runId));
  const diagnose = (folder: string): Promise<void> =>
    collectDiagnostics({
      kubeConfig,
      folder,
      nodeProgram,
      isOurs: (namespace) => /^(rekindle-|rk-)/.test(namespace) || namespace === ownAgent.namespace,
    });
  const context = { kubeConfig, runId, signal, onProgress };
  try {
    await requireNoPressure(kubeConfig);
    await requireNoOther({ ...context, isForeign, theirs, driver: options.agent.driver });
    if (loadImages) await step(onProgress, 'loading the images onto the nodes', () => loadImages(images.all));
    if (!isForeign) await taintNodes(kubeConfig);
    if (cluster.remains === 'cluster')
      life.defer(async () => {
        // A node that is gone, or has no node program any more, has nothing to remove.
        await removeNodeDirectories(kubeConfig, runId).catch(() => {});
        const signal = AbortSignal.timeout(120_000);
        await removeRuns({ kubeConfig, which: (id) => id === runId, onProgress, signal });
      });
    const fuse =
      daemon && images.fuseClients ? { ...foreignDaemonProgram(daemon), image: images.fuseClients } : undefined;
    const store = await step(
      onProgress,
      `starting MinIO${theirs ? '' : ', Fluid’s controllers'} and the node program`,
      () => applyRunObjects({ ...context, image: images.harness, fluid: theirs === undefined, fuse }),
    );
    if (theirs === undefined) {
      await deployAgent({ ...context, isForeign, image: images.agent, life });
      await requireWebhook(kubeConfig, runNamespace(runId));
    }
    await requireFuse(kubeConfig, nodeProgram);
    const virtualNodes = await virtualNodeNames(kubeConfig);
    const running = life.use(
      await runKubernetesCluster({
        ...context,
        name: provider.name,
        fidelity: describeFidelity({
          version,
          description: cluster.description,
          theirs,
          driver: options.agent.driver,
          daemon: fuse,
          virtualNodes,
        }),
        store,
        nodeProgram,
        holds: holdsDirectory(runId),
        agent: theirs ?? ownAgent,
        agentIsOurs: theirs === undefined,
        nodesAreOurs: !isForeign,
        agentOptions: options.agent,
        fakeDaemon: daemon === undefined && theirs === undefined,
        resultsDir,
        environment: options.environment,
        onEvent: options.onEvent,
      }),
    );
    // An agent or a cluster that the run did not create stays as it is.
    const capabilities: Capability[] = [];
    if (theirs === undefined && loadImages) {
      if (hasLastRelease()) capabilities.push('last-release');
      if (hasHelm(options.environment.PATH)) capabilities.push('helm');
    }
    const installations =
      loadImages && capabilities.length > 0
        ? life.use(createInstallations({ ...context, image: images.agent, loadImages }))
        : undefined;
    const all = life.move();
    return {
      ...running,
      capabilities: new Set([...running.capabilities, ...capabilities]),
      ...(installations && { installations }),
      namespaceLabels: { [runLabel]: runId },
      collectDiagnostics: (name) => diagnose(join(diagnosticsDir, name)),
      async [Symbol.asyncDispose]() {
        await all[Symbol.asyncDispose]();
        for (const line of cluster.hints) onProgress(line);
      },
    };
  } catch (error) {
    if (!signal.aborted) {
      onProgress('collecting diagnostics of the cluster');
      await diagnose(diagnosticsDir);
    }
    throw explain(error, serverAddress(kubeConfig));
  }
}

/**
 * Builds the images while the cluster starts, which waits more than it works. If one of the two fails the other is aborted,
 * and nothing remains.
 */
async function openWithImages(provider: ClusterProvider, options: StartOptions, life: AsyncDisposableStack) {
  const { environment, onProgress, runId, resultsDir, diagnosticsDir, programs, daemon } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const docker = await connectDocker({ environment, signal });
  const abortOther = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  const opening = abortOther(
    provider
      .open({ docker, environment, onProgress, runId, resultsDir, diagnosticsDir, signal })
      .then(async (provided) => {
        const cluster = life.use(provided);
        return { cluster, version: await reachableVersion(cluster.kubeConfig) };
      }),
  );
  const preparing = abortOther(
    step(onProgress, 'building the images', () =>
      prepareImages(docker, { programs, signal, ...(daemon && { daemon }) }),
    ),
  );
  await Promise.allSettled([opening, preparing]);
  options.signal.throwIfAborted();
  // The first failure is the reason. The other one was only aborted because of it.
  if (failed.signal.aborted) throw failed.signal.reason;
  return { ...(await opening), images: await preparing };
}

/** @throws CannotRun if the API server does not answer */
async function reachableVersion(kubeConfig: KubeConfig): Promise<string> {
  try {
    return await kubernetesVersion(kubeConfig);
  } catch (error) {
    throw explain(error, serverAddress(kubeConfig));
  }
}

const serverAddress = (kubeConfig: KubeConfig): string => kubeConfig.getCurrentCluster()?.server ?? 'the API server';

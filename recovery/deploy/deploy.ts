import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig, KubernetesObject, V1DaemonSet, V1Deployment } from '@kubernetes/client-node';
import { type Cluster, openCluster } from './api.ts';
import { liveGate } from './live-gate.ts';
import { manifests } from './manifests.ts';
import { names } from './names.ts';
import { defaultOptions, type ManifestOptions } from './options.ts';

export interface DeployOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly image: string;
  readonly agentArgs?: readonly string[];
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  /** Takes one line for each step. */
  readonly onProgress: (line: string) => void;
}

export interface Deployed {
  /** `daemonset/csi-nodeplugin-fluid created` and so on; nothing where nothing changed. */
  readonly changed: readonly string[];
}

/** Applies all (server-side apply) and waits until it is ready. */
export async function deploy(options: DeployOptions): Promise<Deployed> {
  const { kubeConfig, namespace, image, agentArgs = [], dryRun = false, signal, onProgress } = options;
  const cluster = openCluster(kubeConfig);
  const wanted: ManifestOptions = { ...defaultOptions, namespace, image, agentArgs };
  const live = await cluster.read({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: names.agent, namespace },
  });
  const objects = manifests({ ...wanted, gate: liveGate(live) ?? wanted.gate });
  const changed: string[] = [];
  for (const object of objects) {
    signal.throwIfAborted();
    const before = await cluster.read(object);
    const after = await cluster.apply(object, dryRun);
    const what = titleOf(object);
    const change =
      before === undefined
        ? 'created'
        : before.metadata?.resourceVersion === after.metadata?.resourceVersion
          ? undefined
          : 'configured';
    onProgress(`${what} ${change ?? 'unchanged'}`);
    if (change !== undefined) changed.push(`${what} ${change}`);
  }
  if (!dryRun) await ready(cluster, objects, options);
  return { changed };
}

export const titleOf = ({ kind = '', metadata }: KubernetesObject) => `${kind.toLowerCase()}/${metadata?.name}`;

const pollMs = 500;

async function ready(cluster: Cluster, objects: readonly KubernetesObject[], options: DeployOptions): Promise<void> {
  const { signal, onProgress } = options;
  const waited = objects.filter(({ kind }) => kind === 'DaemonSet' || kind === 'Deployment');
  let told = '';
  for (;;) {
    const states = await Promise.all(
      waited.map(async (object) => `${titleOf(object)} ${stateOf(await cluster.read(object))}`),
    );
    const text = states.join(', ');
    if (text !== told) onProgress(text);
    told = text;
    if (states.every((state) => state.endsWith('ready'))) return;
    await sleep(pollMs, undefined, { signal });
  }
}

function stateOf(object: KubernetesObject | undefined): string {
  const { metadata, status, spec } = (object ?? {}) as V1DaemonSet & V1Deployment;
  if (status?.observedGeneration !== metadata?.generation) return 'is being looked at';
  const { desired, updated, ready } =
    object?.kind === 'DaemonSet'
      ? { desired: status?.desiredNumberScheduled, updated: status?.updatedNumberScheduled, ready: status?.numberReady }
      : { desired: spec?.replicas, updated: status?.updatedReplicas, ready: status?.readyReplicas };
  const all = desired ?? 0;
  if ((updated ?? 0) < all || (ready ?? 0) < all) return `${Math.min(updated ?? 0, ready ?? 0)} of ${all}`;
  return 'ready';
}

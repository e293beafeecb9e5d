import type { KubeConfig, KubernetesObject, V1DaemonSet, V1Pod } from '@kubernetes/client-node';
import { type Api, formatTitle, isOurs, openApi } from './api.ts';
import { applyOver, formatApplied } from './apply-over.ts';
import { copyStandby, maximumStandbys, standbyName } from './copy-standby.ts';
import { CannotDeploy } from './errors.ts';
import { removeObjects } from './remove.ts';

export interface StandbysOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly dataset: string;
  /** 0 to 3; those in excess are removed. */
  readonly replicas: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** The standbys of a dataset as they would be applied. Rejects with `CannotDeploy`. */
export function renderStandbys({ kubeConfig, ...options }: StandbysOptions): Promise<readonly V1DaemonSet[]> {
  return renderStandbysThrough(openApi(kubeConfig), options);
}

/** Creates, updates and removes the standbys of a dataset. Returns what has changed. Rejects with `CannotDeploy`. */
export function setStandbys({ kubeConfig, ...options }: StandbysOptions): Promise<readonly string[]> {
  return setStandbysThrough(openApi(kubeConfig), options);
}

type Options = Omit<StandbysOptions, 'kubeConfig'>;

export async function renderStandbysThrough(
  api: Api,
  { namespace, dataset, replicas }: Omit<Options, 'signal' | 'onProgress'>,
): Promise<readonly V1DaemonSet[]> {
  if (replicas === 0) return [];
  const original = await findOriginal(api, namespace, dataset);
  return Array.from({ length: replicas }, (_, number) => copyStandby(original, { namespace, dataset, number }));
}

export async function setStandbysThrough(api: Api, options: Options): Promise<readonly string[]> {
  const { namespace, dataset, replicas, signal, onProgress } = options;
  const changed: string[] = [];
  for (const standby of await renderStandbysThrough(api, options)) {
    signal.throwIfAborted();
    const applied = await applyOver({ api, dryRun: false }, standby, () => standby);
    if (applied === undefined)
      throw new CannotDeploy(`${formatTitle(standby)} exists and is not Rekindle's`, 'rename or delete it');
    onProgress(formatApplied(applied));
    if (applied.change !== 'unchanged') changed.push(formatApplied(applied));
    // The pods of one that is new or changed are still being made.
    else for (const sentence of await findLackingNodes(api, standby, options)) onProgress(sentence);
  }
  const superfluous: KubernetesObject[] = [];
  for (const original of originalNames(dataset))
    for (let number = replicas; number < maximumStandbys; number++) {
      const found = await api.read(reference(namespace, standbyName(original, number)));
      if (found !== undefined && isOurs(found)) superfluous.push(reference(namespace, standbyName(original, number)));
    }
  const removed = await removeObjects({ api, objects: superfluous, signal, onProgress });
  return [...changed, ...removed.map((title) => `${title} removed`)];
}

/** A sentence for each node on which the dataset's daemon runs and its standby does not: one of another node is of no use there. */
async function findLackingNodes(api: Api, standby: V1DaemonSet, { namespace, dataset }: Options): Promise<string[]> {
  const original = await findOriginal(api, namespace, dataset);
  const pods = await api.listPods(namespace);
  const nodesOf = ({ spec }: V1DaemonSet) => {
    const labels = Object.entries(spec?.selector.matchLabels ?? {});
    const own = pods.filter(({ metadata }) => labels.every(([key, value]) => metadata?.labels?.[key] === value));
    return new Set(own.flatMap((pod) => (isRunning(pod) ? (pod.spec?.nodeName ?? []) : [])));
  };
  const elsewhere = nodesOf(standby);
  return [...nodesOf(original)]
    .filter((node) => !elsewhere.has(node))
    .toSorted()
    .map(
      (node) =>
        `${formatTitle(standby)} does not run on node ${node}, and a standby of another node is not used: pods there wait for the dataset's own daemon`,
    );
}

const isRunning = ({ metadata, status }: V1Pod) =>
  metadata?.deletionTimestamp === undefined && status?.phase === 'Running';

/** Names of a dataset's FUSE DaemonSet: of a JindoRuntime, and of Fluid's other runtimes. */
const originalNames = (dataset: string) => [`${dataset}-jindofs-fuse`, `${dataset}-fuse`];

const reference = (namespace: string, name: string): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { namespace, name },
});

async function findOriginal(api: Api, namespace: string, dataset: string): Promise<V1DaemonSet> {
  const names = originalNames(dataset);
  for (const name of names) {
    const found = await api.read(reference(namespace, name));
    if (found !== undefined) return found as V1DaemonSet;
  }
  const others = await api.listDaemonSets(namespace);
  const found = others.map(({ metadata }) => metadata?.name).join(', ') || 'no DaemonSet at all';
  throw new CannotDeploy(
    `dataset ${namespace}/${dataset} has no FUSE DaemonSet: looked for ${names.join(' and ')}, found ${found}`,
    'name the Dataset and its namespace (-n), and wait until its runtime is ready',
  );
}

import type { Caches } from './caches.ts';
import type { DatasetKey } from './naming.ts';
import { daemonSetName, volumeName } from './naming.ts';
import type { View } from './view.ts';

/** What the caches say about one dataset, at once. */
export function viewOf(caches: Caches, key: DatasetKey): View {
  const { namespace, name } = key;
  return {
    key,
    dataset: caches.datasets.get(name, namespace),
    runtime: caches.runtimes.get(name, namespace),
    secrets: new Map(
      caches.secrets
        .list(namespace)
        .map(({ metadata, data }) => [metadata?.name ?? '', new Set(Object.keys(data ?? {}))]),
    ),
    volume: caches.volumes.get(volumeName(key)),
    claim: caches.claims.get(name, namespace),
    daemonSet: caches.daemonSets.get(daemonSetName(key), namespace),
    pods: caches.pods.list(namespace),
  };
}

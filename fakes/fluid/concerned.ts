import type { Changed } from './caches.ts';
import type { FluidObject } from './custom-objects.ts';
import type { DatasetKey } from './naming.ts';
import { driver, madeHere, volumeName } from './naming.ts';

interface Named {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

export const keyOf = ({ metadata }: Named): DatasetKey => ({
  namespace: metadata?.namespace ?? '',
  name: metadata?.name ?? '',
});

/** The datasets that a changed object may matter to: pure. */
export function concerned(change: Changed, datasets: readonly FluidObject[]): readonly DatasetKey[] {
  switch (change.in) {
    case 'datasets':
    case 'runtimes':
      return [keyOf(change.object)];
    case 'claims':
      return [keyOf(change.object)];
    case 'secrets':
      return datasets
        .filter(({ metadata }) => metadata.namespace === change.object.metadata?.namespace)
        .map((dataset) => keyOf(dataset));
    case 'volumes': {
      const { claimRef, csi } = change.object.spec ?? {};
      // A name of a volume that becomes free or taken concerns every dataset that would call its volume so.
      const sameName = datasets.map(keyOf).filter((key) => volumeName(key) === change.object.metadata?.name);
      return csi?.driver === driver && claimRef ? [keyOf({ metadata: claimRef }), ...sameName] : sameName;
    }
    case 'daemonSets': {
      const { namespace = '', labels } = change.object.metadata ?? {};
      const release = labels?.[madeHere.label] === madeHere.value ? labels.release : undefined;
      return release === undefined ? [] : [{ namespace, name: release }];
    }
    case 'pods': {
      const { metadata, spec } = change.object;
      const namespace = metadata?.namespace ?? '';
      const release = metadata?.labels?.[madeHere.label] === madeHere.value ? metadata.labels.release : undefined;
      const claims = (spec?.volumes ?? []).map((volume) => volume.persistentVolumeClaim?.claimName);
      return [release, ...claims].flatMap((name) => (name === undefined ? [] : [{ namespace, name }]));
    }
  }
}

import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { DatasetKey } from './naming.ts';
import { driver, fluidPath, volumeLabels, volumeName } from './naming.ts';
import type { DatasetFacts } from './validate-dataset.ts';

const storageClassName = 'fluid';

/** The PersistentVolume of a dataset, as Fluid makes it (`pkg/utils/dataset/volume/create.go`). */
export function makeVolume(key: DatasetKey, uid: string, facts: DatasetFacts): V1PersistentVolume {
  const name = volumeName(key);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels: volumeLabels(key, uid), annotations: { CreatedBy: 'fluid' } },
    spec: {
      accessModes: [...facts.accessModes],
      capacity: { storage: facts.capacity },
      storageClassName,
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: key.namespace, name: key.name },
      csi: {
        driver,
        volumeHandle: name,
        volumeAttributes: {
          fluid_path: fluidPath(key),
          mount_type: 'jindo',
          runtime_namespace: key.namespace,
          runtime_name: key.name,
        },
      },
    },
  };
}

/**
 * The claim that pods name: called like the dataset. The volume names it, and not it the volume: a real volume controller looks at a
 * claim that names its volume every 15 seconds only.
 */
export function makeClaim(key: DatasetKey, uid: string, facts: DatasetFacts): V1PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: key.name,
      namespace: key.namespace,
      labels: volumeLabels(key, uid),
      annotations: { CreatedBy: 'fluid' },
    },
    spec: {
      accessModes: [...facts.accessModes],
      resources: { requests: { storage: facts.capacity } },
      storageClassName,
      volumeMode: 'Filesystem',
    },
  };
}

import type { Namespace } from './namespace.ts';

/**
 * Creates a PersistentVolume and its claim by hand, instead of by a Dataset, with the given volume attributes. They remain until the
 * end of the scenario.
 */
export async function createVolume(
  namespace: Namespace,
  claim: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  const volume = `${namespace.name}-${claim}`;
  const common = { accessModes: ['ReadOnlyMany'], storageClassName: 'fluid' };
  await namespace.createObject({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volume },
    spec: {
      ...common,
      capacity: { storage: '1Gi' },
      claimRef: { namespace: namespace.name, name: claim },
      csi: {
        driver: 'fuse.csi.fluid.io',
        volumeHandle: volume,
        volumeAttributes: { mount_type: 'jindo', ...attributes },
      },
    },
  });
  namespace.scenario.use({
    [Symbol.asyncDispose]: async () => void (await namespace.core.deletePersistentVolume({ name: volume })),
  });
  await namespace.createObject({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claim },
    spec: { ...common, resources: { requests: { storage: '1Gi' } }, volumeName: volume },
  });
}

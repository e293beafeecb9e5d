/** The parts of a volume's objects that differ from driver to driver. */
export interface VolumeParts {
  readonly driver: string;
  readonly accessMode: string;
  /** Of a PersistentVolume. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** Of a StorageClass. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** What the driver gets as secrets, in every call that has them. */
  readonly secret?: Readonly<Record<string, string>> | undefined;
}

/**
 * The objects of a volume as most drivers have them: a Secret, a PersistentVolume or a StorageClass, and a claim. Texts have the placeholders
 * of a profile.
 */
export function commonObjects({ driver, accessMode, attributes, parameters, secret }: VolumeParts) {
  const [namespace, name] = ['{namespace}', '{name}'];
  const own = `${namespace}-${name}`;
  const accessModes = [accessMode];
  const secretOfClass = Object.fromEntries(
    ['provisioner', 'node-stage', 'node-publish'].flatMap((call) => [
      [`csi.storage.k8s.io/${call}-secret-namespace`, namespace],
      [`csi.storage.k8s.io/${call}-secret-name`, name],
    ]),
  );
  const persistentVolume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: own },
    spec: {
      accessModes,
      capacity: { storage: '1Gi' },
      storageClassName: own,
      claimRef: { namespace, name },
      csi: {
        driver,
        volumeHandle: own,
        ...(attributes && { volumeAttributes: attributes }),
        ...(secret && { nodeStageSecretRef: { namespace, name }, nodePublishSecretRef: { namespace, name } }),
      },
    },
  };
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: own },
    provisioner: driver,
    parameters: { ...parameters, ...(secret && secretOfClass) },
  };
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: {
      accessModes,
      storageClassName: own,
      ...(attributes && { volumeName: own }),
      resources: { requests: { storage: '1Gi' } },
    },
  };
  return [
    ...(secret ? [{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: secret }] : []),
    attributes ? persistentVolume : storageClass,
    claim,
  ];
}

import {
  CoreV1Api,
  StorageV1Api,
  type V1PersistentVolume,
  type V1PersistentVolumeClaim,
  type V1StorageClass,
} from '@kubernetes/client-node';
import { createCsiClient } from '../../recovery/csi/client.ts';
import { type ControllerParts, coreKinds, keyOf, startController } from '../controller.ts';

const ownParameters = 'csi.storage.k8s.io/';
const provisionedBy = 'pv.kubernetes.io/provisioned-by';
/** Annotations of a volume: the secret that its deletion needs. */
const deletionSecret = 'volume.kubernetes.io/provisioner-deletion-secret';

export interface ProvisionerOptions extends ControllerParts {
  /** Name of the CSI driver, which StorageClasses have as their provisioner. */
  readonly driver: string;
  /** Path of its socket. */
  readonly socket: string;
}

/** The PersistentVolume that the sidecar `csi-provisioner` creates for what a driver has created. */
export function provisionedVolume(
  claim: V1PersistentVolumeClaim,
  storage: V1StorageClass,
  created: { readonly volumeId: string; readonly volumeContext: Readonly<Record<string, string>> },
): V1PersistentVolume {
  const { provisioner: driver, reclaimPolicy = 'Delete', metadata, mountOptions } = storage;
  const { namespace = '', name = '', uid = '' } = claim.metadata ?? {};
  const secret = secretRef(claim, storage, 'provisioner');
  const [stage, publish] = [secretRef(claim, storage, 'node-stage'), secretRef(claim, storage, 'node-publish')];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeNameOf(uid),
      annotations: {
        [provisionedBy]: driver,
        ...(secret && {
          [`${deletionSecret}-name`]: secret.name,
          [`${deletionSecret}-namespace`]: secret.namespace,
        }),
      },
    },
    spec: {
      accessModes: [...(claim.spec?.accessModes ?? [])],
      capacity: { ...claim.spec?.resources?.requests },
      storageClassName: metadata?.name ?? '',
      persistentVolumeReclaimPolicy: reclaimPolicy,
      claimRef: { namespace, name, uid },
      ...(mountOptions && { mountOptions }),
      csi: {
        driver,
        volumeHandle: created.volumeId,
        volumeAttributes: created.volumeContext,
        ...(stage && { nodeStageSecretRef: stage }),
        ...(publish && { nodePublishSecretRef: publish }),
      },
    },
  };
}

/** The secret that a class names for the calls of a kind, in which `${pvc.name}` and `${pvc.namespace}` stand for the claim's. */
export function secretRef(
  { metadata }: V1PersistentVolumeClaim,
  { parameters = {} }: V1StorageClass,
  calls: 'provisioner' | 'node-stage' | 'node-publish',
): { readonly name: string; readonly namespace: string } | undefined {
  const values: Readonly<Record<string, string | undefined>> = {
    'pvc.name': metadata?.name,
    'pvc.namespace': metadata?.namespace,
  };
  const fill = (text = '') => text.replaceAll(/\$\{([^}]+)\}/g, (all, key: string) => values[key] ?? all);
  const name = parameters[`${ownParameters}${calls}-secret-name`];
  return name === undefined
    ? undefined
    : { name: fill(name), namespace: fill(parameters[`${ownParameters}${calls}-secret-namespace`]) };
}

const volumeNameOf = (uid: string) => `pvc-${uid}`;

/** What a driver is given: the parameters of the class but those for the provisioner, and the claim, as with `--extra-create-metadata`. */
export function createParameters(claim: V1PersistentVolumeClaim, { parameters = {} }: V1StorageClass) {
  const { namespace = '', name = '' } = claim.metadata ?? {};
  const own = Object.entries(parameters).filter(([key]) => !key.startsWith(ownParameters));
  return {
    ...Object.fromEntries(own),
    [`${ownParameters}pvc/name`]: name,
    [`${ownParameters}pvc/namespace`]: namespace,
  };
}

/** Stands in for the sidecar `csi-provisioner`: creates volumes for claims of a driver's classes, and deletes those without a claim. */
export async function startProvisioner({
  kubeConfig,
  driver,
  socket,
  log,
}: ProvisionerOptions): Promise<AsyncDisposable> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { claims, volumes } = coreKinds(core);
  const storage = kubeConfig.makeApiClient(StorageV1Api);
  const csi = createCsiClient(`unix://${socket}`);
  const readSecret = async (ref: ReturnType<typeof secretRef>) => {
    if (ref === undefined) return {};
    const { data = {} } = await core.readNamespacedSecret(ref);
    const entries = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
    return { secrets: Object.fromEntries(entries) as Readonly<Record<string, string>> };
  };
  const controller = await startController<{
    claims: V1PersistentVolumeClaim;
    classes: V1StorageClass;
    volumes: V1PersistentVolume;
  }>({
    kubeConfig,
    kinds: {
      claims: {
        ...claims,
        keys: (claim) => [keyOf(claim)],
      },
      classes: {
        path: '/apis/storage.k8s.io/v1/storageclasses',
        list: () => storage.listStorageClass(),
        keys: (_class, { claims }) => claims.list().map(keyOf),
      },
      volumes: {
        ...volumes,
        keys: ({ spec }) => [{ namespace: spec?.claimRef?.namespace ?? '', name: spec?.claimRef?.name ?? '' }],
      },
    },
    async reconcile({ namespace, name }, { claims, classes, volumes }) {
      const claim = claims.get(name, namespace);
      const own = volumes.list().filter(({ metadata }) => metadata?.annotations?.[provisionedBy] === driver);
      for (const { metadata, spec } of own) {
        const isOfClaim = spec?.claimRef?.namespace === namespace && spec.claimRef.name === name;
        if (!isOfClaim || claim?.metadata?.uid === spec.claimRef?.uid) continue;
        if (spec?.persistentVolumeReclaimPolicy !== 'Delete' || metadata?.deletionTimestamp !== undefined) continue;
        const annotations = metadata?.annotations ?? {};
        const secret = annotations[`${deletionSecret}-name`];
        // As csi-provisioner does, this continues without a secret that was deleted first.
        const ref = secret && { name: secret, namespace: annotations[`${deletionSecret}-namespace`] ?? '' };
        const secrets = ref ? await readSecret(ref).catch(() => ({})) : {};
        await csi.deleteVolume({ volumeId: spec?.csi?.volumeHandle ?? '', ...secrets });
        await core.deletePersistentVolume({ name: metadata?.name ?? '' });
      }
      const chosen = classes.get(claim?.spec?.storageClassName ?? '');
      if (!claim || chosen?.provisioner !== driver || claim.spec?.volumeName !== undefined) return 'done';
      const volumeName = volumeNameOf(claim.metadata?.uid ?? '');
      if (volumes.get(volumeName)) return 'done';
      const { volume } = await csi.createVolume({
        name: volumeName,
        parameters: createParameters(claim, chosen),
        ...(await readSecret(secretRef(claim, chosen, 'provisioner'))),
        volumeCapabilities: [{ accessMode: { mode: 'MULTI_NODE_MULTI_WRITER' }, mount: {} }],
      });
      await core.createPersistentVolume({ body: provisionedVolume(claim, chosen, volume) });
      return 'done';
    },
    onError: ({ namespace, name }, error) => log(`provisioning of claim ${namespace}/${name}: ${String(error)}`),
  });
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      csi[Symbol.dispose]();
    },
  };
}

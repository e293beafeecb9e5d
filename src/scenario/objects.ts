import {
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  type V1Pod,
} from '@kubernetes/client-node';
import type { Manifest } from './manifests.ts';

/** The cluster's objects in one namespace, as far as scenarios need them. */
export interface Objects {
  createNamespace(): Promise<void>;
  create(manifest: Manifest): Promise<void>;
  readPod(name: string): Promise<V1Pod>;
  listPods(labelSelector: string): Promise<readonly V1Pod[]>;
  labelPod(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  annotateDataset(name: string, annotations: Readonly<Record<string, string>>): Promise<void>;
  deletePod(name: string): Promise<void>;
  deleteVolume(name: string): Promise<void>;
  /** Phase of a Dataset, and its conditions' messages. */
  datasetStatus(name: string): Promise<{ readonly phase: string; readonly message: string }>;
  readClaim(name: string): Promise<{ readonly volume: string; readonly phase: string }>;
}

interface Place {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly node: string | undefined;
  /** Of the namespace. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** `node`: where pods go that do not say where they want to be. */
export function objectsIn({ kubeConfig, namespace, node, labels }: Place): Objects {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const any = KubernetesObjectApi.makeApiClient(kubeConfig);
  return {
    async createNamespace() {
      await core.createNamespace({ body: { metadata: { name: namespace, ...(labels && { labels }) } } });
    },
    async create(manifest) {
      const where = manifest.kind === 'PersistentVolume' ? {} : { namespace };
      const placed = node === undefined ? manifest : placedOn(node, manifest);
      await any.create({ ...placed, metadata: { ...placed.metadata, ...where } });
    },
    readPod: (name) => core.readNamespacedPod({ name, namespace }),
    listPods: async (labelSelector) => (await core.listNamespacedPod({ namespace, labelSelector })).items,
    async labelPod(name, labels) {
      await any.patch({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { ...labels } } });
    },
    async annotateDataset(name, annotations) {
      const metadata = { name, namespace, annotations: { ...annotations } };
      const type = PatchStrategy.MergePatch;
      await any.patch(
        { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', metadata },
        undefined,
        undefined,
        undefined,
        undefined,
        type,
      );
    },
    async deletePod(name) {
      await core.deleteNamespacedPod({ name, namespace });
    },
    async deleteVolume(name) {
      await core.deletePersistentVolume({ name });
    },
    async datasetStatus(name) {
      const { status } = await custom.getNamespacedCustomObject({
        group: 'data.fluid.io',
        version: 'v1alpha1',
        namespace,
        plural: 'datasets',
        name,
      });
      const conditions: readonly { readonly message?: string }[] = status?.conditions ?? [];
      return { phase: status?.phase ?? '', message: conditions.map(({ message = '' }) => message).join('; ') };
    },
    async readClaim(name) {
      const { spec, status } = await core.readNamespacedPersistentVolumeClaim({ name, namespace });
      return { volume: spec?.volumeName ?? '', phase: status?.phase ?? '' };
    },
  };
}

/** A pod on a node; one that asks for a place of its own, or is serverless, stays as it is. */
function placedOn(node: string, manifest: Manifest): Manifest {
  const { spec } = manifest;
  const isServerless = 'alibabacloud.com/fluid-sidecar-target' in (manifest.metadata?.labels ?? {});
  if (manifest.kind !== 'Pod' || isServerless || typeof spec !== 'object' || spec === null) return manifest;
  if ('affinity' in spec || 'nodeSelector' in spec) return manifest;
  return { ...manifest, spec: { ...spec, nodeSelector: { 'kubernetes.io/hostname': node } } };
}

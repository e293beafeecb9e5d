import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  StorageV1Api,
  type V1Node,
  VersionApi,
} from '@kubernetes/client-node';
import { explainError } from '../../../recovery/deploy/errors.ts';
import { managedBy, names } from '../../../recovery/deploy/options.ts';
import type { Finding } from '../assess.ts';
import { assessCluster } from './assess-cluster.ts';
import { inspectNodes, type NodeInspection } from './inspect-nodes.ts';
import { bucketUrl, type DatasetBucket, keyNames, type NamedBucket, parseDatasetBuckets } from './stores.ts';

/** What `gatherCluster` found in a cluster, as plain data. */
export interface InspectedCluster {
  /** A version such as `v1.34.4`. */
  readonly version: string;
  readonly nodes: readonly InspectedNode[];
  /** Objects with Fluid's names but without Rekindle's label, such as `daemonset/csi-nodeplugin-fluid in fluid-system`. */
  readonly foreign: readonly string[];
  /** Whether Rekindle's own node plugin is installed. */
  readonly deployed: boolean;
  readonly stores: readonly BucketCheck[];
}

export interface InspectedNode {
  readonly name: string;
  /** `status.nodeInfo`. */
  readonly kernelRelease: string;
  readonly osImage: string;
  readonly architecture: string;
  /** Whether it is labelled `type=virtual-kubelet`. A virtual node is not inspected. */
  readonly virtual: boolean;
  readonly inspection: NodeInspection;
}

/** A bucket that a dataset or the user names. */
export interface BucketCheck {
  /** `dataset default/demo-dataset`, or the command-line flag. */
  readonly source: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** HTTP status of a HEAD request for the bucket, or the reason for its failure. Absent if no request was sent. */
  readonly answer?: { readonly status: number } | { readonly reason: string };
}

export interface GatherClusterOptions {
  readonly kubeConfig: KubeConfig;
  /** An additional bucket to check. Its Secret, `NAMESPACE/NAME`, has the document's keys. */
  readonly store: { readonly endpoint: string; readonly bucket: string; readonly secret?: string } | undefined;
  /** Image of the pods that inspect nodes, or undefined to start no pods. */
  readonly image: string | undefined;
  readonly kubeletRoot: string;
  readonly signal: AbortSignal;
}

const driver = 'fuse.csi.fluid.io';

/** Queries the API server and inspects each node with a pod. Leaves nothing behind. */
export async function gatherCluster(options: GatherClusterOptions): Promise<InspectedCluster> {
  const { kubeConfig, image, kubeletRoot, signal } = options;
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { gitVersion: version } = await kubeConfig.makeApiClient(VersionApi).getCode();
  const nodes = (await core.listNode()).items.map(describeNode);
  const { foreign, deployed } = await findFluid(kubeConfig);
  const stores = await findStores(core, options);
  const real = nodes.filter(({ virtual }) => !virtual).map(({ name }) => name);
  if (image === undefined || real.length === 0)
    return { version, nodes, foreign, deployed, stores: stores.map(withoutKeys) };
  const request = { kubeletRoot, urls: stores.map(bucketUrl) };
  const results = await inspectNodes({ kubeConfig, nodes: real, image, request, signal });
  const answers = results.get(real[0] ?? '')?.stores ?? [];
  return {
    version,
    nodes: nodes.map((node) => ({ ...node, inspection: results.get(node.name)?.inspection ?? node.inspection })),
    foreign,
    deployed,
    stores: stores.map((store, index) => ({
      ...withoutKeys(store),
      ...(answers[index] && { answer: answers[index] }),
    })),
  };
}

function describeNode({ metadata, status }: V1Node): InspectedNode {
  const info = status?.nodeInfo;
  return {
    name: metadata?.name ?? '',
    kernelRelease: info?.kernelVersion ?? '',
    osImage: info?.osImage ?? '',
    architecture: info?.architecture ?? '',
    virtual: metadata?.labels?.type === 'virtual-kubelet',
    inspection: { state: 'not-inspected' },
  };
}

async function findFluid(kubeConfig: KubeConfig): Promise<Pick<InspectedCluster, 'foreign' | 'deployed'>> {
  const { items: drivers } = await kubeConfig.makeApiClient(StorageV1Api).listCSIDriver();
  const fieldSelector = `metadata.name=${names.agent}`;
  const { items: plugins } = await kubeConfig.makeApiClient(AppsV1Api).listDaemonSetForAllNamespaces({ fieldSelector });
  const found = [
    ...drivers
      .filter(({ metadata }) => metadata?.name === driver)
      .map((object) => ({ object, title: `csidriver/${driver}` })),
    ...plugins.map((object) => ({ object, title: `daemonset/${names.agent} in ${object.metadata?.namespace}` })),
  ].map(({ object, title }) => ({ title, isOurs: object.metadata?.labels?.[managedBy.label] === managedBy.value }));
  return {
    foreign: found.filter(({ isOurs }) => !isOurs).map(({ title }) => title),
    deployed: found.some(({ isOurs }) => isOurs),
  };
}

async function findStores(
  core: CoreV1Api,
  { kubeConfig, store }: GatherClusterOptions,
): Promise<readonly NamedBucket[]> {
  const mounts = await datasetBuckets(kubeConfig);
  const found = await Promise.all(mounts.map((mount) => withKeys(core, mount)));
  if (store === undefined) return distinct(found);
  const { endpoint, bucket, secret } = store;
  const [namespace = '', name = ''] = (secret ?? '').split('/');
  const secrets = Object.values(keyNames).map((key) => [key, { name, key }] as const);
  const asked = {
    source: '--bucket',
    namespace,
    endpoint,
    bucket,
    secrets: new Map(secret === undefined ? [] : secrets),
  };
  return distinct([await withKeys(core, asked), ...found]);
}

async function datasetBuckets(kubeConfig: KubeConfig): Promise<readonly DatasetBucket[]> {
  const kind = { group: 'data.fluid.io', version: 'v1alpha1', plural: 'datasets' };
  try {
    const list = await kubeConfig.makeApiClient(CustomObjectsApi).listClusterCustomObject(kind);
    return (list as { items: Parameters<typeof parseDatasetBuckets>[0][] }).items.flatMap(parseDatasetBuckets);
  } catch (error) {
    // Fluid's custom resource definitions are not installed.
    if (error instanceof Error && 'code' in error && error.code === 404) return [];
    throw error;
  }
}

async function withKeys(
  core: CoreV1Api,
  { source, namespace, endpoint, bucket, secrets }: DatasetBucket,
): Promise<NamedBucket> {
  const value = async (option: string) => {
    const from = secrets.get(option);
    if (from === undefined) return undefined;
    const { data } = await core.readNamespacedSecret({ namespace, name: from.name }).catch(() => ({ data: undefined }));
    const encoded = data?.[from.key];
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
  };
  const [accessKeyId, accessKeySecret] = [await value(keyNames.id), await value(keyNames.secret)];
  const known = accessKeyId !== undefined && accessKeySecret !== undefined;
  return { source, endpoint, bucket, ...(known ? { keys: { accessKeyId, accessKeySecret } } : {}) };
}

/** Several datasets may use one bucket. */
function distinct(stores: readonly NamedBucket[]): readonly NamedBucket[] {
  return [
    ...new Map(stores.toReversed().map((store) => [`${store.endpoint} ${store.bucket}`, store])).values(),
  ].reverse();
}

const withoutKeys = ({ source, endpoint, bucket }: NamedBucket): BucketCheck => ({ source, endpoint, bucket });

/** Inspects a cluster. Rejects with `CannotDeploy` if its API server cannot be queried. */
export async function doctorCluster(options: GatherClusterOptions): Promise<readonly Finding[]> {
  const server = options.kubeConfig.getCurrentCluster()?.server ?? '';
  try {
    return assessCluster(await gatherCluster(options));
  } catch (error) {
    throw explainError('look at the cluster', server, error);
  }
}

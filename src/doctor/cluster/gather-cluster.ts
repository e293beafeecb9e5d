import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  NodeV1Api,
  StorageV1Api,
  type V1Node,
  VersionApi,
} from '@kubernetes/client-node';
import { statusMessage } from '../../../clusters/kubernetes/explain.ts';
import { defaultRuntimes } from '../../../recovery/agent/flags.ts';
import { agentDaemonSet } from '../../../recovery/deploy/agent-daemonset.ts';
import { explainError } from '../../../recovery/deploy/errors.ts';
import { isVirtual } from '../../../recovery/deploy/kubelet-root.ts';
import { defaultOptions, managedBy, names } from '../../../recovery/deploy/options.ts';
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
  /** The directories that were asked for. */
  readonly asked: { readonly kubeletRoot: string; readonly mountRoot: string };
  readonly admission: DryRunAdmission;
  /** RuntimeClasses of sandboxed runtimes that the agent does not know by name. */
  readonly sandboxRuntimes: readonly string[];
  readonly isEksWithOtherNetwork: boolean;
  readonly isGke: boolean;
}

/** What became of a dry run of the agent's pod. */
export type DryRunAdmission =
  | { readonly state: 'not-tried' }
  | { readonly state: 'admitted'; readonly namespace: string }
  | { readonly state: 'refused'; readonly namespace: string; readonly message: string };

export interface InspectedNode {
  readonly name: string;
  /** `status.nodeInfo`. */
  readonly kernelRelease: string;
  readonly osImage: string;
  readonly architecture: string;
  /** A virtual node, or one of Fargate, is not inspected. */
  readonly virtual: boolean;
  /** Whether it has a label by which agents avoid it. */
  readonly avoided: boolean;
  readonly ready: boolean;
  readonly cordoned: boolean;
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
  readonly mountRoot: string;
  readonly signal: AbortSignal;
}

const driver = 'fuse.csi.fluid.io';

/** Queries the API server and inspects each node with a pod. Leaves nothing behind. */
export async function gatherCluster(options: GatherClusterOptions): Promise<InspectedCluster> {
  const { kubeConfig, image, kubeletRoot, mountRoot, signal } = options;
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { gitVersion: version } = await kubeConfig.makeApiClient(VersionApi).getCode();
  const { items } = await core.listNode();
  const nodes = items.map(describeNode);
  const { foreign, deployed } = await findFluid(kubeConfig);
  const stores = await findStores(core, options);
  const real = nodes.filter(({ virtual, ready }) => !virtual && ready).map(({ name }) => name);
  const known = {
    ...{ version, foreign, deployed, asked: { kubeletRoot, mountRoot } },
    sandboxRuntimes: await findSandboxRuntimes(kubeConfig),
    ...(await findNetwork(kubeConfig, items)),
  };
  if (image === undefined || real.length === 0)
    return { ...known, nodes, stores: stores.map(withoutKeys), admission: { state: 'not-tried' } };
  const admission = await tryAdmission(core, options);
  const request = { kubeletRoot, mountRoot, urls: stores.map(bucketUrl) };
  const results = await inspectNodes({ kubeConfig, nodes: real, image, request, signal });
  const answers = results.get(real[0] ?? '')?.stores ?? [];
  return {
    ...known,
    admission,
    nodes: nodes.map((node) => ({ ...node, inspection: results.get(node.name)?.inspection ?? node.inspection })),
    stores: stores.map((store, index) => ({
      ...withoutKeys(store),
      ...(answers[index] && { answer: answers[index] }),
    })),
  };
}

function describeNode(node: V1Node): InspectedNode {
  const { metadata, spec, status } = node;
  const info = status?.nodeInfo;
  const { labels = {} } = metadata ?? {};
  return {
    name: metadata?.name ?? '',
    kernelRelease: info?.kernelVersion ?? '',
    osImage: info?.osImage ?? '',
    architecture: info?.architecture ?? '',
    virtual: isVirtual(node),
    avoided: labels.type === 'virtual-kubelet' || labels['eks.amazonaws.com/compute-type'] === 'fargate',
    ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    cordoned: spec?.unschedulable === true,
    inspection: { state: 'not-inspected' },
  };
}

/** Creates the agent's pod in a dry run: where it will be, or in a namespace that every cluster has, if that is not there yet. */
async function tryAdmission(core: CoreV1Api, { image }: GatherClusterOptions): Promise<DryRunAdmission> {
  const { spec } = agentDaemonSet({ ...defaultOptions, image: image ?? defaultOptions.image }).spec?.template ?? {};
  const namespaces = (await core.listNamespace()).items.map(({ metadata }) => metadata?.name);
  const namespace = namespaces.includes(names.namespace) ? names.namespace : 'kube-system';
  const { serviceAccountName: _, ...pod } = spec ?? { containers: [] };
  const body = { metadata: { generateName: `${names.agent}-` }, spec: pod };
  try {
    await core.createNamespacedPod({ namespace, body, dryRun: 'All' });
    return { state: 'admitted', namespace };
  } catch (error) {
    const message = apiMessage(error);
    if (message === undefined) throw error;
    return { state: 'refused', namespace, message };
  }
}

/** The API server's reason for a refusal. */
function apiMessage(error: unknown): string | undefined {
  if (!(error instanceof ApiException) || error.code !== 403) return undefined;
  return statusMessage(error.body);
}

/** Handlers of runtimes whose guests hold their own file descriptors. */
const sandboxHandlers = /kata|runsc|gvisor|runv|rund|firecracker/i;

async function findSandboxRuntimes(kubeConfig: KubeConfig): Promise<readonly string[]> {
  const { items } = await kubeConfig.makeApiClient(NodeV1Api).listRuntimeClass();
  const known = defaultRuntimes.split(',');
  return items.flatMap(({ handler, metadata }) =>
    sandboxHandlers.test(handler) && !known.includes(metadata?.name ?? '') ? [metadata?.name ?? ''] : [],
  );
}

async function findNetwork(
  kubeConfig: KubeConfig,
  nodes: readonly V1Node[],
): Promise<Pick<InspectedCluster, 'isEksWithOtherNetwork' | 'isGke'>> {
  const isEks = nodes.some(({ metadata }) => metadata?.labels?.['eks.amazonaws.com/nodegroup'] !== undefined);
  const isGke = nodes.some(({ spec }) => spec?.providerID?.startsWith('gce://') === true);
  if (!isEks) return { isEksWithOtherNetwork: false, isGke };
  const list = { namespace: 'kube-system', fieldSelector: 'metadata.name=aws-node' };
  const { items } = await kubeConfig.makeApiClient(AppsV1Api).listNamespacedDaemonSet(list);
  return { isEksWithOtherNetwork: items.length === 0, isGke };
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

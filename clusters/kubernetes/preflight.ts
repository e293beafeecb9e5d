import {
  ApiException,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  type V1DaemonSet,
  VersionApi,
} from '@kubernetes/client-node';
import type { Api } from '../../recovery/deploy/api.ts';
import { isOurs } from '../../recovery/deploy/api.ts';
import { CannotRun } from '../cluster.ts';
import { pollOrLast } from '../poll.ts';
import type { DeployedAgent } from './agent-control.ts';
import { execToEnd } from './exec.ts';
import { statusMessage } from './explain.ts';
import type { PodSelector } from './node-program/daemon-set.ts';

/** `v1.34.4`, from the API server. */
export async function kubernetesVersion(kubeConfig: KubeConfig): Promise<string> {
  return (await kubeConfig.makeApiClient(VersionApi).getCode()).gitVersion;
}

const pressures: ReadonlySet<string> = new Set(['DiskPressure', 'MemoryPressure', 'PIDPressure']);

/** @throws CannotRun if a kubelet evicts pods, as it would evict those of a run */
export async function requireNoPressure(kubeConfig: KubeConfig): Promise<void> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNode();
  const missing = items.flatMap(({ metadata, status }) =>
    (status?.conditions ?? [])
      .filter(({ type, status }) => pressures.has(type) && status === 'True')
      .map(({ type, message }) => ({
        what: `node ${metadata?.name} evicts pods: ${type}${message ? ` (${message})` : ''}`,
        remedy:
          type === 'DiskPressure' ? 'free disk space: docker system df, crictl rmi --prune' : 'end what runs there',
      })),
  );
  if (missing.length > 0) throw new CannotRun(missing);
}

/** @throws CannotRun if a node that runs the node program has no /dev/fuse */
export async function requireFuse(
  kubeConfig: KubeConfig,
  { namespace, labelSelector, container }: PodSelector,
): Promise<void> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  const lists = await Promise.all(
    items.map(async ({ metadata, spec }) => {
      const target = { namespace, pod: metadata?.name ?? '', container };
      const command = ['test', '-c', '/proc/1/root/dev/fuse'];
      const { exitCode } = await execToEnd({ kubeConfig, target, command, timeoutMs: 20_000 });
      return exitCode === 0 ? [] : [spec?.nodeName ?? ''];
    }),
  );
  const nodes = lists.flat();
  if (nodes.length === 0) return;
  const what = `${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')} ${nodes.length === 1 ? 'has' : 'have'} no /dev/fuse`;
  throw new CannotRun([{ what, remedy: 'load the module there: modprobe fuse' }]);
}

/** A Service gets the addresses of its ready pods on every node a moment after they are ready. */
const serviceMs = 20_000;

/** Makes the API server call the webhook, by a dry run of a pod. @throws CannotRun if it cannot reach the webhook */
export async function requireWebhook(kubeConfig: KubeConfig, namespace: string, timeoutMs = serviceMs): Promise<void> {
  const labels = { 'fuse.serverful.fluid.io/inject': 'true' };
  const body = {
    metadata: { generateName: 'webhook-', labels },
    spec: { containers: [{ name: 'never', image: 'never' }] },
  };
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const failure = await pollOrLast({
    read: () =>
      core.createNamespacedPod({ namespace, body, dryRun: 'All' }).then(
        () => undefined,
        (error: unknown) => {
          const message = error instanceof ApiException ? statusMessage(error.body) : '';
          if (!message.includes('failed calling webhook')) throw error;
          return message;
        },
      ),
    until: (message) => message === undefined,
    timeoutMs,
    intervalMs: 500,
  });
  if (failure === undefined) return;
  const remedy =
    'look at the pods of deployment/fluid-webhook in fluid-system, and whether the API server reaches them';
  throw new CannotRun([{ what: `the API server does not reach the webhook (${failure})`, remedy }]);
}

const datasetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'datasets.data.fluid.io' },
};

/** The implementation that a profile names must be installed, and must not be ours. @throws CannotRun */
export async function requireTheirs(
  { read }: Pick<Api, 'read'>,
  { namespace, name, container }: DeployedAgent,
  driver?: string,
): Promise<void> {
  const object: KubernetesObject = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { namespace, name } };
  const daemonSet = (await read(object)) as V1DaemonSet | undefined;
  const title = `daemonset/${name} in ${namespace}`;
  if (daemonSet === undefined)
    throw cannot(
      `the implementation that the profile names is not installed there: no ${title}`,
      'install it first, or test the agent that Rekindle deploys: --profile rekindle',
    );
  if (isOurs(daemonSet))
    throw cannot(`${title} is Rekindle's own agent, not the one that the profile names`, '--profile rekindle');
  const containers = (daemonSet.spec?.template.spec?.containers ?? []).map(({ name }) => name);
  if (!containers.includes(container))
    throw cannot(
      `${title} has no container ${container}, only ${containers.join(', ')}`,
      'name it in a profile of your own: rekindle profile show fluid > my.yaml, then --profile my.yaml',
    );
  if (driver !== undefined) {
    const csiDriver = { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: driver } };
    if ((await read(csiDriver)) === undefined)
      throw cannot(
        `${title} is there, but no csidriver/${driver}`,
        "install the driver, or correct the profile's volume.driver",
      );
    return;
  }
  if ((await read(datasetDefinition)) === undefined)
    throw cannot(
      `${title} is there, but no customresourcedefinition/${datasetDefinition.metadata.name}`,
      'install all of Fluid',
    );
}

const cannot = (what: string, remedy: string): CannotRun => new CannotRun([{ what, remedy }]);

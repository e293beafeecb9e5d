import { setTimeout as delay } from 'node:timers/promises';
import { ApiException, CoreV1Api, type KubeConfig, VersionApi } from '@kubernetes/client-node';
import { CannotRun } from '../cluster.ts';
import { execToEnd } from '../kubernetes/exec-to-end.ts';
import type { PodsOf } from '../kubernetes/options.ts';
import { messageOf } from './explain.ts';

/** `v1.34.4`, asked of the API server. */
export async function versionOf(kubeConfig: KubeConfig): Promise<string> {
  return (await kubeConfig.makeApiClient(VersionApi).getCode()).gitVersion;
}

const pressures: ReadonlySet<string> = new Set(['DiskPressure', 'MemoryPressure', 'PIDPressure']);

/** @throws CannotRun where a node's kubelet evicts pods, as it would those of a run */
export async function requireRoom(kubeConfig: KubeConfig): Promise<void> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNode();
  const missing = items.flatMap(({ metadata, status }) =>
    (status?.conditions ?? [])
      .filter(({ type, status }) => pressures.has(type) && status === 'True')
      .map(({ type, message }) => ({
        what: `node ${metadata?.name} evicts pods: ${type}${message ? ` (${message})` : ''}`,
        remedy:
          type === 'DiskPressure' ? 'make room on its disk: docker system df, crictl rmi --prune' : 'end what it runs',
      })),
  );
  if (missing.length > 0) throw new CannotRun(missing);
}

/** @throws CannotRun where a node on which the node program runs has no /dev/fuse */
export async function requireFuse(
  kubeConfig: KubeConfig,
  { namespace, labelSelector, container }: PodsOf,
): Promise<void> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  const without = await Promise.all(
    items.map(async ({ metadata, spec }) => {
      const target = { namespace, pod: metadata?.name ?? '', container };
      const command = ['test', '-c', '/proc/1/root/dev/fuse'];
      const { exitCode } = await execToEnd({ kubeConfig, target, command, timeoutMs: 20_000 });
      return exitCode === 0 ? [] : [spec?.nodeName ?? ''];
    }),
  );
  const nodes = without.flat();
  if (nodes.length === 0) return;
  const what = `${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')} ${nodes.length === 1 ? 'has' : 'have'} no /dev/fuse`;
  throw new CannotRun([{ what, remedy: 'load the module there: modprobe fuse' }]);
}

/** The Service of pods that are ready has their addresses on every node a moment later. */
const serviceMs = 20_000;

/** Has the API server ask the webhook about a pod that is never created. @throws CannotRun where it cannot be reached */
export async function requireWebhook(kubeConfig: KubeConfig, namespace: string, patienceMs = serviceMs): Promise<void> {
  const labels = { 'fuse.serverful.fluid.io/inject': 'true' };
  const body = {
    metadata: { generateName: 'webhook-', labels },
    spec: { containers: [{ name: 'never', image: 'never' }] },
  };
  for (const deadline = performance.now() + patienceMs; ; await delay(500)) {
    try {
      await kubeConfig.makeApiClient(CoreV1Api).createNamespacedPod({ namespace, body, dryRun: 'All' });
      return;
    } catch (error) {
      const message = error instanceof ApiException ? messageOf(error.body) : '';
      if (!message.includes('failed calling webhook')) throw error;
      if (performance.now() < deadline) continue;
      const remedy =
        'look at the pods of deployment/fluid-webhook in fluid-system, and whether the API server reaches them';
      throw new CannotRun([{ what: `the API server does not reach the webhook (${message})`, remedy }], {
        cause: error,
      });
    }
  }
}

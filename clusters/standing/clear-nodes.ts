import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { execToEnd } from '../kubernetes/exec-to-end.ts';
import { nodeProgramPods } from '../kubernetes/node-program/daemon-set.ts';
import { holdsOf, hostDirectoryOf, namespaceOf } from './standing-objects.ts';

/** Empty once no run is there. Those of the FUSE pods are below /runtime-mnt. */
const shared = ['/var/lib/rekindle', '/runtime-mnt/jindo', '/runtime-mnt'];

/**
 * Removes the directories that kubelets have made for a run, of each node on which the node program runs; those that hold anything
 * stay, as a directory of Fluid's own does.
 */
export async function clearNodes(kubeConfig: KubeConfig, runId: string): Promise<void> {
  const { namespace, labelSelector, container } = nodeProgramPods(namespaceOf(runId));
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  const onNode = [holdsOf(runId), hostDirectoryOf(runId), ...shared].map((path) => `/proc/1/root${path}`);
  await Promise.all(
    items.map(({ metadata }) => {
      const target = { namespace, pod: metadata?.name ?? '', container };
      const command = ['sh', '-c', 'rm -f "$1"/*; rmdir "$@" 2>/dev/null', 'sh', ...onNode];
      return execToEnd({ kubeConfig, target, command, timeoutMs: 20_000 });
    }),
  );
}

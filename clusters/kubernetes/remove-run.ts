import {
  AdmissionregistrationV1Api,
  ApiException,
  ApiextensionsV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  RbacAuthorizationV1Api,
  type V1Namespace,
} from '@kubernetes/client-node';
import { type Api, formatTitle, openApi, refuseForeign } from '../../recovery/deploy/api.ts';
import { names } from '../../recovery/deploy/options.ts';
import { CannotRun } from '../cluster.ts';
import { poll } from '../poll.ts';
import type { DeployedAgent } from './agent-control.ts';
import { execToEnd } from './exec.ts';
import { nodeProgramPods } from './node-program/daemon-set.ts';
import { requireTheirs } from './preflight.ts';
import { holdsDirectory, hostDirectory, runLabel, runNamespace } from './run-objects.ts';

/** Objects in the cluster that carry a run's label: namespaces (also of scenarios), definitions, roles, webhooks. */
export async function listRunObjects(kubeConfig: KubeConfig): Promise<readonly KubernetesObject[]> {
  const labelSelector = runLabel;
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
  const [webhooks, definitions, bindings, roles, namespaces] = await Promise.all([
    kubeConfig.makeApiClient(AdmissionregistrationV1Api).listMutatingWebhookConfiguration({ labelSelector }),
    kubeConfig.makeApiClient(ApiextensionsV1Api).listCustomResourceDefinition({ labelSelector }),
    rbac.listClusterRoleBinding({ labelSelector }),
    rbac.listClusterRole({ labelSelector }),
    core.listNamespace({ labelSelector }),
  ]);
  const as = (apiVersion: string, kind: string, { items }: { readonly items: readonly KubernetesObject[] }) =>
    items.map(({ metadata }) => ({ apiVersion, kind, ...(metadata && { metadata }) }));
  return [
    ...as('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', webhooks),
    // Datasets go first, while the controllers still remove what they created for them.
    ...as('apiextensions.k8s.io/v1', 'CustomResourceDefinition', definitions),
    ...as('v1', 'Namespace', namespaces),
    ...as('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', bindings),
    ...as('rbac.authorization.k8s.io/v1', 'ClusterRole', roles),
  ];
}

export interface Removal {
  readonly kubeConfig: KubeConfig;
  /** Selects runs by their id. */
  readonly which: (runId: string) => boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const goneMs = 300_000;

/** Removes the objects of the selected runs and waits until they are gone. Returns their titles. @throws CannotDeploy */
export async function removeRuns({ kubeConfig, which, signal, onProgress }: Removal): Promise<readonly string[]> {
  const api = openApi(kubeConfig);
  const all = await listRunObjects(kubeConfig);
  const objects = all.filter(({ metadata }) => which(metadata?.labels?.[runLabel] ?? ''));
  for (const object of objects) {
    await removeObject(api, object, { timeoutMs: goneMs, signal });
    onProgress(`${formatTitle(object)} removed`);
  }
  return objects.map(formatTitle);
}

/** Removes an object and waits until it is gone. @throws PollTimeout with what keeps it, CannotDeploy */
export async function removeObject(
  api: Pick<Api, 'remove' | 'read'>,
  object: KubernetesObject,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  await api.remove(object);
  await poll<V1Namespace | undefined>({
    condition: `${formatTitle(object)} is gone`,
    read: () => api.read(object),
    until: (found) => found === undefined,
    format: (found) => found?.status?.conditions?.map(({ message }) => message).join('; ') || 'it is being deleted',
    intervalMs: 300,
    ...options,
  });
}

/** Empty once no run is left. The directories of the FUSE pods are below /runtime-mnt. */
const sharedDirectories = ['/var/lib/rekindle', '/runtime-mnt/jindo', '/runtime-mnt'];

/**
 * Removes the directories that kubelets created for a run, on each node that runs the node program. A directory that is not
 * empty stays, for example one of Fluid's own.
 */
export async function removeNodeDirectories(kubeConfig: KubeConfig, runId: string): Promise<void> {
  const { namespace, labelSelector, container } = nodeProgramPods(runNamespace(runId));
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  const directories = [holdsDirectory(runId), hostDirectory(runId), ...sharedDirectories];
  const onNode = directories.map((path) => `/proc/1/root${path}`);
  await Promise.all(
    items.map(({ metadata }) => {
      const target = { namespace, pod: metadata?.name ?? '', container };
      const command = ['sh', '-c', 'rm -f "$1"/*; rmdir "$@" 2>/dev/null', 'sh', ...onNode];
      return execToEnd({ kubeConfig, target, command, timeoutMs: 20_000 });
    }),
  );
}

export interface ForeignCheck extends Omit<Removal, 'which'> {
  readonly isForeign: boolean;
  readonly runId: string;
  /** The implementation under test, which must be installed. Absent: ours is deployed, so no other may be installed. */
  readonly theirs: DeployedAgent | undefined;
  /** The CSI driver of the volumes. Absent: Fluid's. */
  readonly driver: string | undefined;
}

/**
 * Refuses to start beside another Fluid, agent or run. In a cluster that we created, leftovers of other runs are removed; in a
 * user's cluster they are a reason to stop. @throws CannotRun, CannotDeploy
 */
export async function requireNoOther(check: ForeignCheck): Promise<void> {
  const { driver, isForeign, kubeConfig, runId, theirs, signal, onProgress } = check;
  if (theirs) await requireTheirs(openApi(kubeConfig), theirs, driver);
  else {
    await refuseForeignFluid(kubeConfig);
    await refuseForeignAgent(kubeConfig);
  }
  if (!isForeign) {
    await removeRuns({ kubeConfig, which: (id) => id !== runId, signal, onProgress });
    return;
  }
  const others = await listRunObjects(kubeConfig);
  if (others.length === 0) return;
  const runs = new Set(others.map(({ metadata }) => metadata?.labels?.[runLabel] ?? ''));
  const context = kubeConfig.getCurrentContext();
  const commands = [...runs].map((run) => `rekindle clean --context ${context} --run ${run}`).join('; ');
  throw new CannotRun([
    {
      what: `another run is in progress there, or was killed (${others.map(formatTitle).join(', ')})`,
      remedy: `wait for it, or remove its leftovers: ${commands}`,
    },
  ]);
}

/** @throws CannotRun if Fluid's definitions exist and no run of ours created them */
async function refuseForeignFluid(kubeConfig: KubeConfig): Promise<void> {
  const name = 'datasets.data.fluid.io';
  try {
    const { metadata } = await kubeConfig.makeApiClient(ApiextensionsV1Api).readCustomResourceDefinition({ name });
    if (metadata?.labels?.[runLabel] !== undefined) return;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return;
    throw error;
  }
  throw new CannotRun([
    {
      what: `customresourcedefinition/${name} is not Rekindle's: another Fluid is installed there`,
      remedy: 'uninstall it first (helm uninstall fluid), or test it as it is: --profile fluid or ack-fluid',
    },
  ]);
}

/** @throws CannotDeploy if the CSIDriver or the DaemonSet of the agent's name is not ours */
async function refuseForeignAgent(kubeConfig: KubeConfig): Promise<void> {
  const api = openApi(kubeConfig);
  const found = await Promise.all(
    [
      { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: 'fuse.csi.fluid.io' } },
      { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: names.agent, namespace: names.namespace } },
    ].map((object) => api.read(object)),
  );
  refuseForeign(found.filter((object) => object !== undefined));
}

import {
  CoreV1Api,
  type CoreV1Event,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  type V1DaemonSet,
  type V1Node,
  type V1Pod,
  VersionApi,
} from '@kubernetes/client-node';
import { recoveryLabel } from '../engine/policy.ts';
import { objectAt, textAt } from '../kubernetes/json.ts';
import { CannotDeploy, explainError, httpStatus } from './errors.ts';
import { managedBy } from './options.ts';

/** Owns the fields that server-side apply sets. */
const fieldManager = 'rekindle';

/** The requests that a deployment makes. They reject with `CannotDeploy` or `Conflict`. */
export interface Api {
  /** Undefined if the object does not exist. */
  read(object: KubernetesObject): Promise<KubernetesObject | undefined>;
  /** Takes over fields that others have set. Rejects with `Conflict` if the object has another `resourceVersion`. */
  apply(object: KubernetesObject, options: { readonly dryRun: boolean }): Promise<KubernetesObject>;
  /** Removes an object after everything it owns. False if it did not exist. */
  remove(object: KubernetesObject): Promise<boolean>;
  /** The pods with the label `app`, or all. */
  listPods(namespace: string, app?: string): Promise<readonly V1Pod[]>;
  listDaemonSets(namespace: string): Promise<readonly V1DaemonSet[]>;
  /** Empty if the user may not list nodes. */
  listNodes(): Promise<readonly V1Node[]>;
  /** The latest warnings of a namespace, newest first. Empty if the user may not list events. */
  listWarnings(namespace: string): Promise<readonly CoreV1Event[]>;
  /** Why a pod that runs is not ready, as its readiness probe is answered; undefined if it is ready or cannot be asked. */
  askPod(pod: V1Pod): Promise<string | undefined>;
  /** Why the API server does not reach the webhook, by a dry run of a labelled pod; undefined if it does, or the user may not try. */
  askWebhook(): Promise<string | undefined>;
  /** The flags of a node's kubelet; undefined if it does not report them, or the user may not ask it. */
  kubeletFlags(node: string): Promise<string | undefined>;
  /** Minor version of Kubernetes 1. */
  minorVersion(): Promise<number>;
}

export function openApi(kubeConfig: KubeConfig): Api {
  const objects = KubernetesObjectApi.makeApiClient(kubeConfig);
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const server = kubeConfig.getCurrentCluster()?.server ?? 'no server';
  const send = async <T>(description: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      throw explainError(description, server, error);
    }
  };
  const sendUnlessAbsent = async <T>(description: string, request: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await request();
    } catch (error) {
      if (httpStatus(error) === 404) return undefined;
      throw explainError(description, server, error);
    }
  };
  return {
    read: (object) => sendUnlessAbsent(`read ${formatTitle(object)}`, () => objects.read(identify(object))),
    apply: (object, { dryRun }) =>
      send(`apply ${formatTitle(object)}`, () =>
        objects.patch(object, undefined, dryRun ? 'All' : undefined, fieldManager, true, PatchStrategy.ServerSideApply),
      ),
    async remove(object) {
      const removed = await sendUnlessAbsent(`delete ${formatTitle(object)}`, () =>
        objects.delete(identify(object), undefined, undefined, undefined, undefined, 'Foreground'),
      );
      return removed !== undefined;
    },
    listPods: (namespace, app) =>
      send(`list the pods of ${namespace}`, async () => {
        const args = [undefined, undefined, undefined, undefined] as const;
        const { items } = await objects.list<V1Pod>('v1', 'Pod', namespace, ...args, app && `app=${app}`);
        // The items of a list have no kind.
        return items.map((pod) => ({ ...pod, kind: 'Pod' }));
      }),
    listDaemonSets: (namespace) =>
      send(`list the DaemonSets of ${namespace}`, async () => {
        const { items } = await objects.list<V1DaemonSet>('apps/v1', 'DaemonSet', namespace);
        return items;
      }),
    listNodes: async () => (await core.listNode().catch(noneIfForbidden)).items,
    async listWarnings(namespace) {
      const list = { namespace, fieldSelector: 'type=Warning' };
      const { items } = await core.listNamespacedEvent(list).catch(noneIfForbidden);
      const time = ({ lastTimestamp, eventTime }: CoreV1Event) => new Date(lastTimestamp ?? eventTime ?? 0).getTime();
      return items.toSorted((a, b) => time(b) - time(a));
    },
    async askPod({ metadata, spec }) {
      const [container] = spec?.containers ?? [];
      const { path = '/', port, scheme = 'HTTP' } = container?.readinessProbe?.httpGet ?? {};
      const number = container?.ports?.find(({ name }) => name === port)?.containerPort ?? port;
      const name = `${scheme.toLowerCase()}:${metadata?.name}:${number}`;
      const { namespace = '' } = metadata ?? {};
      const answer = core.connectGetNamespacedPodProxyWithPath({ name, namespace, path: path.slice(1) });
      // The API server's own errors are objects.
      return answer.then(
        () => undefined,
        (error) => (httpStatus(error) === 503 ? errorText(error) : undefined),
      );
    },
    async askWebhook() {
      const metadata = { generateName: 'rekindle-try-', labels: { [recoveryLabel]: 'true' } };
      const body: V1Pod = { metadata, spec: { containers: [{ name: 'try', image: 'try' }] } };
      // Its own namespace is exempt.
      const answer = core.createNamespacedPod({ namespace: 'default', dryRun: 'All', body });
      return answer.then(
        () => undefined,
        (error) => failedCall.exec(errorMessage(error))?.[0],
      );
    },
    kubeletFlags: (name) => core.connectGetNodeProxyWithPath({ name, path: 'flagz' }).catch(() => undefined),
    async minorVersion() {
      const { minor } = await send('ask for the version', () => kubeConfig.makeApiClient(VersionApi).getCode());
      return Number.parseInt(minor, 10);
    },
  };
}

/** As the API server says it of a webhook that fails closed (k8s.io/apiserver, `pkg/admission/plugin/webhook/errors`). */
const failedCall = /failed calling webhook "fuse\.serverful\.fluid\.io".*/s;

/** The message of a Status, or of an error that is none. */
function errorMessage(error: unknown): string {
  const body = error instanceof Error && 'body' in error ? String(error.body) : String(error);
  try {
    return textAt(objectAt(JSON.parse(body)), 'message') ?? body;
  } catch {
    return body;
  }
}

function noneIfForbidden(error: unknown): { readonly items: never[] } {
  if (httpStatus(error) === 403) return { items: [] };
  throw error;
}

/** The body of an error that is no Status of the API server. */
function errorText(error: unknown): string | undefined {
  const body = error instanceof Error && 'body' in error ? error.body : undefined;
  return typeof body === 'string' && !body.startsWith('{') ? body : undefined;
}

/** `daemonset/csi-nodeplugin-fluid`. */
export const formatTitle = ({ kind = '', metadata }: KubernetesObject) => `${kind.toLowerCase()}/${metadata?.name}`;

function identify({ apiVersion = '', kind = '', metadata }: KubernetesObject) {
  const { name = '', namespace } = metadata ?? {};
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** Whether Rekindle deployed an existing object. */
export function isOurs({ metadata }: KubernetesObject): boolean {
  return metadata?.labels?.[managedBy.label] === managedBy.value;
}

/** Throws if an existing object with one of our names is foreign (seed claim P3). */
export function refuseForeign(found: readonly KubernetesObject[]): void {
  const foreign = found.filter((object) => object.kind !== 'Namespace' && !isOurs(object)).map(formatTitle);
  if (foreign.length === 0) return;
  throw new CannotDeploy(
    `${foreign.join(', ')} ${foreign.length === 1 ? 'is' : 'are'} not Rekindle's: another Fluid is installed here`,
    'uninstall it first (helm uninstall fluid), or deploy --beside, which leaves it in charge',
  );
}

import {
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  type V1Pod,
  VersionApi,
} from '@kubernetes/client-node';
import { CannotDeploy } from './cannot-deploy.ts';

/** The owner of the fields that are applied (server-side apply). */
const fieldManager = 'rekindle';

/** The few requests that a deployment makes. They reject with `CannotDeploy`, or with `Conflict`. */
export interface Api {
  /** Undefined where it is not there. */
  read(object: KubernetesObject): Promise<KubernetesObject | undefined>;
  /** Takes over fields that others have set. A `resourceVersion` in the object has to be the one that is there. */
  apply(object: KubernetesObject, options: { readonly dryRun: boolean }): Promise<KubernetesObject>;
  /** False where it was not there. What it owns goes with it, and it goes last. */
  remove(object: KubernetesObject): Promise<boolean>;
  /** Those of one `app`, or all. */
  podsOf(namespace: string, app?: string): Promise<readonly V1Pod[]>;
  /** Minor version of Kubernetes 1. */
  minor(): Promise<number>;
}

/** Somebody changed the object since it was read. */
export class Conflict extends Error {
  readonly code = 'CONFLICT';
}

export function openApi(kubeConfig: KubeConfig): Api {
  const objects = KubernetesObjectApi.makeApiClient(kubeConfig);
  const server = kubeConfig.getCurrentCluster()?.server ?? 'no server';
  const ask = async <T>(what: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      throw explained(what, server, error);
    }
  };
  const orAbsent = async <T>(what: string, request: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await request();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw explained(what, server, error);
    }
  };
  return {
    read: (object) => orAbsent(`read ${titleOf(object)}`, () => objects.read(headerOf(object))),
    apply: (object, { dryRun }) =>
      ask(`apply ${titleOf(object)}`, () =>
        objects.patch(object, undefined, dryRun ? 'All' : undefined, fieldManager, true, PatchStrategy.ServerSideApply),
      ),
    async remove(object) {
      const removed = await orAbsent(`delete ${titleOf(object)}`, () =>
        objects.delete(headerOf(object), undefined, undefined, undefined, undefined, 'Foreground'),
      );
      return removed !== undefined;
    },
    podsOf: (namespace, app) =>
      ask(`list the pods of ${namespace}`, async () => {
        const args = [undefined, undefined, undefined, undefined] as const;
        const { items } = await objects.list<V1Pod>('v1', 'Pod', namespace, ...args, app && `app=${app}`);
        // A list's items do not say what they are.
        return items.map((pod) => ({ ...pod, kind: 'Pod' }));
      }),
    async minor() {
      const { minor } = await ask('ask for the version', () => kubeConfig.makeApiClient(VersionApi).getCode());
      return Number.parseInt(minor, 10);
    },
  };
}

/** `daemonset/csi-nodeplugin-fluid`. */
export const titleOf = ({ kind = '', metadata }: KubernetesObject) => `${kind.toLowerCase()}/${metadata?.name}`;

function headerOf({ apiVersion = '', kind = '', metadata }: KubernetesObject) {
  const { name = '', namespace } = metadata ?? {};
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** HTTP status that the API server answered with. */
function statusOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

function explained(what: string, server: string, error: unknown): Error {
  const status = statusOf(error);
  const says = messageOf(error);
  switch (status) {
    case undefined:
      return isConnection(error)
        ? new CannotDeploy(`${server} does not answer (${says})`, 'start the cluster, or choose another --context', {
            cause: error,
          })
        : new Error(`cannot ${what}: ${says}`, { cause: error });
    case 401:
      return new CannotDeploy(`cannot ${what}: ${says}`, 'log in again: the credentials of the context are not valid', {
        cause: error,
      });
    case 403:
      return new CannotDeploy(`cannot ${what}: ${says}`, 'use a context that may do this, such as a cluster-admin', {
        cause: error,
      });
    case 404:
      return new CannotDeploy(`cannot ${what}: ${says}`, 'use a cluster that has this kind, and create its namespace');
    case 409:
      return new Conflict(says);
    default:
      return new CannotDeploy(`cannot ${what}: ${status}: ${says}`, 'look at the message of the API server', {
        cause: error,
      });
  }
}

/** The sentence in the API server's Status, or in Node's error. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const body = 'body' in error ? error.body : undefined;
  const status = typeof body === 'string' ? parsed(body) : body;
  if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  const nested = [error, error.cause].find((one) => one instanceof Error && 'code' in one);
  if (nested instanceof AggregateError) return nested.errors.map((one) => String(one?.message ?? one)).join(', ');
  return nested instanceof Error ? nested.message || String((nested as NodeJS.ErrnoException).code) : error.message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

/** Nobody answered: refused, not found, timed out, or with a certificate that is not trusted. */
function isConnection(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (typeof (at as NodeJS.ErrnoException).code === 'string' && at.name !== 'AbortError') return true;
  }
  return false;
}

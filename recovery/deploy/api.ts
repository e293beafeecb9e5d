import {
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  type V1Pod,
  VersionApi,
} from '@kubernetes/client-node';
import { explained, statusOf } from './explained.ts';

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

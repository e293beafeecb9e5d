import { type KubeConfig, type KubernetesObject, KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node';

/** The owner of the fields that are applied (server-side apply). */
const fieldManager = 'rekindle';

export interface Named extends KubernetesObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The few requests that a deployment makes; what is not there is undefined. */
export interface Cluster {
  read(object: KubernetesObject): Promise<KubernetesObject | undefined>;
  apply(object: KubernetesObject, dryRun: boolean): Promise<KubernetesObject>;
  /** False where it was not there. */
  remove(object: KubernetesObject): Promise<boolean>;
}

export function openCluster(kubeConfig: KubeConfig): Cluster {
  const api = KubernetesObjectApi.makeApiClient(kubeConfig);
  return {
    async read(object) {
      try {
        return await api.read(named(object));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    apply: (object, dryRun) =>
      api.patch(object, undefined, dryRun ? 'All' : undefined, fieldManager, true, PatchStrategy.ServerSideApply),
    async remove(object) {
      try {
        await api.delete(named(object), undefined, undefined, undefined, undefined, 'Foreground');
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
      }
    },
  };
}

export function named(object: KubernetesObject): Named {
  const { apiVersion = '', kind = '', metadata } = object;
  const { name = '', namespace } = metadata ?? {};
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** HTTP status that the API server answered with. */
export function statusOf(error: unknown): number | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

import type { KubernetesObject, V1DaemonSet, V1Pod } from '@kubernetes/client-node';
import { type Api, formatTitle } from '../api.ts';
import { Conflict } from '../errors.ts';

export interface FakeApi extends Api {
  /** The existing objects by `kind/name`. */
  readonly objects: Map<string, KubernetesObject>;
  /** Called before each apply, to make concurrent changes. */
  beforeApply: (object: KubernetesObject) => void;
  pods: V1Pod[];
}

/** An API server in memory, which applies by replacing objects and makes them ready at once. */
export function createFakeApi(given: readonly KubernetesObject[] = []): FakeApi {
  let version = 0;
  const stored = (object: KubernetesObject): KubernetesObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(++version), uid: formatTitle(object) },
  });
  const objects = new Map(given.map((object) => [formatTitle(object), stored(object)]));
  return {
    objects,
    beforeApply: () => {},
    pods: [],
    read: async (object) => objects.get(formatTitle(object)),
    async apply(object, { dryRun }) {
      this.beforeApply(object);
      const before = objects.get(formatTitle(object));
      const { resourceVersion } = object.metadata ?? {};
      if (resourceVersion !== undefined && resourceVersion !== before?.metadata?.resourceVersion)
        throw new Conflict('the object has been modified');
      const after = ready(stored(object));
      if (!dryRun) objects.set(formatTitle(object), after);
      return after;
    },
    remove: async (object) => objects.delete(formatTitle(object)),
    listPods: async function () {
      return this.pods;
    },
    listDaemonSets: async () => [...objects.values()].filter(({ kind }) => kind === 'DaemonSet') as V1DaemonSet[],
    minorVersion: async () => 34,
  };
}

/** Adds what controllers and the webhook itself would add. */
function ready(object: KubernetesObject): KubernetesObject {
  const { webhooks } = object as { readonly webhooks?: readonly { readonly clientConfig: object }[] };
  const trusted = webhooks?.map((one) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle: 'AAAA' } }));
  const replicas = 2;
  const status = {
    desiredNumberScheduled: 1,
    updatedNumberScheduled: 1,
    numberReady: 1,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
  };
  return { ...object, status, ...(trusted === undefined ? {} : { webhooks: trusted }) } as KubernetesObject;
}

import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { type Api, titleOf } from '../api.ts';
import { Conflict } from '../explained.ts';

export interface FakeApi extends Api {
  /** What is there, by `kind/name`. */
  readonly objects: Map<string, KubernetesObject>;
  /** Called before each apply: what others do meanwhile. */
  beforeApply: (object: KubernetesObject) => void;
  pods: V1Pod[];
}

/** An API server in memory: applies by replacing what is asked for, and makes what it is given ready at once. */
export function createFakeApi(given: readonly KubernetesObject[] = []): FakeApi {
  let version = 0;
  const stored = (object: KubernetesObject): KubernetesObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(++version), uid: titleOf(object) },
  });
  const objects = new Map(given.map((object) => [titleOf(object), stored(object)]));
  return {
    objects,
    beforeApply: () => {},
    pods: [],
    read: async (object) => objects.get(titleOf(object)),
    async apply(object, { dryRun }) {
      this.beforeApply(object);
      const before = objects.get(titleOf(object));
      const { resourceVersion } = object.metadata ?? {};
      if (resourceVersion !== undefined && resourceVersion !== before?.metadata?.resourceVersion)
        throw new Conflict('the object has been modified');
      const after = ready(stored(object));
      if (!dryRun) objects.set(titleOf(object), after);
      return after;
    },
    remove: async (object) => objects.delete(titleOf(object)),
    podsOf: async function () {
      return this.pods;
    },
    minor: async () => 34,
  };
}

/** With a status as controllers and the webhook itself would leave it. */
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

import type { CoreV1Event, KubernetesObject, V1DaemonSet, V1Node, V1Pod } from '@kubernetes/client-node';
import { type Api, formatTitle } from '../api.ts';
import { Conflict } from '../errors.ts';

export interface FakeApi extends Api {
  /** The existing objects by `kind/name`. */
  readonly objects: Map<string, KubernetesObject>;
  /** Called before each apply, to make concurrent changes. */
  beforeApply: (object: KubernetesObject) => void;
  /** What the status of an object will be; `ready` by default. */
  readonly statuses: Map<string, object>;
  /** Changes the status of an object that exists. */
  setStatus(title: string, status: object): void;
  pods: V1Pod[];
  nodes: V1Node[];
  events: CoreV1Event[];
  /** What readiness probes answer, by the name of the pod. */
  readonly answers: Map<string, string>;
  /** What kubelets answer, by the name of the node. */
  readonly flagz: Map<string, string>;
  /** Called whenever a dry run asks the webhook; returns why that fails. */
  askedWebhook: () => string | undefined;
}

/** An API server in memory, which applies by replacing objects and makes them ready at once. */
export function createFakeApi(given: readonly KubernetesObject[] = []): FakeApi {
  let version = 0;
  const stored = (object: KubernetesObject): KubernetesObject => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(++version), uid: formatTitle(object) },
  });
  const statuses = new Map<string, object>();
  const objects = new Map(given.map((object) => [formatTitle(object), stored(object)]));
  return {
    objects,
    beforeApply: () => {},
    statuses,
    setStatus: (title, status) => void objects.set(title, { ...objects.get(title), status } as KubernetesObject),
    pods: [],
    nodes: [],
    events: [],
    answers: new Map(),
    flagz: new Map(),
    askedWebhook: () => undefined,
    read: async (object) => objects.get(formatTitle(object)),
    async apply(object, { dryRun }) {
      this.beforeApply(object);
      const before = objects.get(formatTitle(object));
      const { resourceVersion } = object.metadata ?? {};
      if (resourceVersion !== undefined && resourceVersion !== before?.metadata?.resourceVersion)
        throw new Conflict('the object has been modified');
      const after = withStatus(stored(object), statuses.get(formatTitle(object)) ?? statusOf(before));
      if (!dryRun) objects.set(formatTitle(object), after);
      return after;
    },
    remove: async (object) => objects.delete(formatTitle(object)),
    listPods: async function () {
      return this.pods;
    },
    listDaemonSets: async () => [...objects.values()].filter(({ kind }) => kind === 'DaemonSet') as V1DaemonSet[],
    listNodes: async function () {
      return this.nodes;
    },
    listWarnings: async function () {
      return this.events;
    },
    askPod: async function ({ metadata }) {
      return this.answers.get(metadata?.name ?? '');
    },
    kubeletFlags: async function (node) {
      return this.flagz.get(node);
    },
    askWebhook: async function () {
      return this.askedWebhook();
    },
    minorVersion: async () => 34,
  };
}

const statusOf = (object: KubernetesObject | undefined) => (object as { readonly status?: object } | undefined)?.status;

/** Adds what controllers and the webhook itself would add. */
function withStatus(object: KubernetesObject, given: object | undefined): KubernetesObject {
  const { webhooks } = object as { readonly webhooks?: readonly { readonly clientConfig: object }[] };
  const trusted = webhooks?.map((one) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle: 'AAAA' } }));
  const replicas = 2;
  const status = given ?? {
    desiredNumberScheduled: 1,
    updatedNumberScheduled: 1,
    numberReady: 1,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
  };
  return { ...object, status, ...(trusted === undefined ? {} : { webhooks: trusted }) } as KubernetesObject;
}

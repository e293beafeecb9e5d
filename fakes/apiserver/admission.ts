import type { ApiObject, Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt, sameJson, stringAt } from './api-object.ts';
import type { Resource } from './resource.ts';
import { findResource } from './resources.ts';
import { StatusError } from './status.ts';
import type { Storage } from './storage.ts';
import { callWebhook } from './webhook-call.ts';

/** A create or an update that must pass the webhooks. */
export interface AdmissionRequest {
  readonly resource: Resource;
  readonly object: ApiObject;
  /** The stored object, if this is an update. */
  readonly oldObject: ApiObject | undefined;
  /** Whether the name was made of `generateName`. */
  readonly generated: boolean;
  readonly dryRun: boolean;
  /** Receives the warnings of webhooks. */
  readonly warn: (text: string) => void;
}

/** Calls the registered webhooks in the way that `kube-apiserver` does. */
export class AdmissionWebhooks {
  readonly #store: Storage;

  constructor(store: Storage) {
    this.#store = store;
  }

  /** Calls mutating webhooks one after the other. If a later one changes the object, those that want it are called again. */
  async mutate(request: AdmissionRequest): Promise<ApiObject> {
    let object = request.object;
    const called: { readonly webhook: JsonObject; readonly result: ApiObject }[] = [];
    for (const webhook of this.#registered('mutatingwebhookconfigurations')) {
      const change = this.#change(request, object);
      if (!applies(webhook, change)) continue;
      object = patchedObject(request.object, await callWebhook({ ...request, webhook, change, mutating: true }));
      called.push({ webhook, result: object });
    }
    const afterFirstRound = object;
    for (const { webhook, result } of called) {
      const change = this.#change(request, object);
      if (webhook.reinvocationPolicy !== 'IfNeeded' || sameJson(result, afterFirstRound) || !applies(webhook, change))
        continue;
      object = patchedObject(request.object, await callWebhook({ ...request, webhook, change, mutating: true }));
    }
    return object;
  }

  /** Calls all validating webhooks; the first denial wins. */
  async validate(request: AdmissionRequest): Promise<void> {
    const change = this.#change(request, request.object);
    const webhooks = this.#registered('validatingwebhookconfigurations').filter((webhook) => applies(webhook, change));
    await Promise.all(webhooks.map((webhook) => callWebhook({ ...request, webhook, change, mutating: false })));
  }

  #registered(plural: string): readonly JsonObject[] {
    const resource = findResource('admissionregistration.k8s.io', 'v1', plural);
    const configurations = resource ? this.#store.list(resource) : [];
    return [...configurations]
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .flatMap((configuration) => listAt(configuration, 'webhooks').filter((webhook) => isJsonObject(webhook)));
  }

  #change({ resource, oldObject }: AdmissionRequest, object: ApiObject): AdmittedChange {
    const namespaces = findResource('', 'v1', 'namespaces');
    const { namespace } = object.metadata;
    const found = namespaces && namespace !== undefined ? this.#store.get(namespaces, undefined, namespace) : undefined;
    return { resource, object, oldObject, namespaceLabels: found?.metadata.labels ?? {} };
  }
}

/** The object after a patch, which may have replaced it by anything. */
function patchedObject(before: ApiObject, after: Json): ApiObject {
  if (!isJsonObject(after) || !isJsonObject(after.metadata))
    throw new StatusError(500, 'InternalError', 'Internal error occurred: a webhook left no object');
  return { ...after, metadata: { ...objectAt(after, 'metadata'), name: before.metadata.name } } as ApiObject;
}

/** What the rules and selectors of a webhook are matched against. */
export interface AdmittedChange {
  readonly resource: Resource;
  readonly object: ApiObject;
  readonly oldObject: ApiObject | undefined;
  /** Empty for a cluster-scoped object. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

const has = (list: readonly Json[], value: string): boolean => list.includes('*') || list.includes(value);

function matchesRule(rule: Json, { resource, object, oldObject }: AdmittedChange): boolean {
  const scope = stringAt(rule, 'scope') || '*';
  const objectScope = object.metadata.namespace === undefined ? 'Cluster' : 'Namespaced';
  return (
    has(listAt(rule, 'operations'), oldObject === undefined ? 'CREATE' : 'UPDATE') &&
    has(listAt(rule, 'apiGroups'), resource.group) &&
    has(listAt(rule, 'apiVersions'), resource.version) &&
    (has(listAt(rule, 'resources'), resource.plural) || listAt(rule, 'resources').includes('*/*')) &&
    (scope === '*' || scope === objectScope)
  );
}

/** Evaluates a LabelSelector; an empty one selects everything. */
export function selects(selector: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const labelsMatch = Object.entries(objectAt(selector, 'matchLabels')).every(([key, value]) => labels[key] === value);
  return (
    labelsMatch &&
    listAt(selector, 'matchExpressions').every((expression) => {
      const value = labels[stringAt(expression, 'key')];
      const values = listAt(expression, 'values');
      switch (stringAt(expression, 'operator')) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/** Whether a webhook must be called for a change, by its rules, namespaceSelector and objectSelector (of the new or the old object). */
function applies(webhook: JsonObject, change: AdmittedChange): boolean {
  return (
    listAt(webhook, 'rules').some((rule) => matchesRule(rule, change)) &&
    selects(objectAt(webhook, 'namespaceSelector'), change.namespaceLabels) &&
    [change.object, change.oldObject].some(
      (object) => object && selects(objectAt(webhook, 'objectSelector'), object.metadata.labels ?? {}),
    )
  );
}

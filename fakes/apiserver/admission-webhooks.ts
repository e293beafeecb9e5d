import type { ApiObject, Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt, sameJson } from './api-object.ts';
import type { Resource } from './resource.ts';
import { findResource } from './resources.ts';
import { StatusError } from './status.ts';
import type { Store } from './store.ts';
import { callWebhook } from './webhook-call.ts';
import { type Creation, isAsked } from './webhook-match.ts';

/** One object that passes the webhooks on its way to the store. */
export interface Passing {
  readonly resource: Resource;
  readonly object: ApiObject;
  readonly generated: boolean;
  readonly dryRun: boolean;
  /** Takes what webhooks warn of. */
  readonly warn: (text: string) => void;
}

/** The webhooks that are registered in the store, asked as `kube-apiserver` asks them. */
export class AdmissionWebhooks {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** One after the other; one that wants it is asked again where a later one changed the object. */
  async mutate(passing: Passing): Promise<ApiObject> {
    let object = passing.object;
    const asked: { readonly webhook: JsonObject; readonly left: ApiObject }[] = [];
    for (const webhook of this.#registered('mutatingwebhookconfigurations')) {
      const creation = this.#creation(passing.resource, object);
      if (!isAsked(webhook, creation)) continue;
      object = whole(passing.object, await callWebhook({ ...passing, webhook, creation, mutating: true }));
      asked.push({ webhook, left: object });
    }
    const round = object;
    for (const { webhook, left } of asked) {
      const creation = this.#creation(passing.resource, object);
      if (webhook.reinvocationPolicy !== 'IfNeeded' || sameJson(left, round) || !isAsked(webhook, creation)) continue;
      object = whole(passing.object, await callWebhook({ ...passing, webhook, creation, mutating: true }));
    }
    return object;
  }

  /** All of them; the first denial counts. */
  async validate(passing: Passing): Promise<void> {
    const creation = this.#creation(passing.resource, passing.object);
    const webhooks = this.#registered('validatingwebhookconfigurations').filter((webhook) =>
      isAsked(webhook, creation),
    );
    await Promise.all(webhooks.map((webhook) => callWebhook({ ...passing, webhook, creation, mutating: false })));
  }

  #registered(plural: string): readonly JsonObject[] {
    const resource = findResource('admissionregistration.k8s.io', 'v1', plural);
    const configurations = resource ? this.#store.list(resource) : [];
    return [...configurations]
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .flatMap((configuration) => listAt(configuration, 'webhooks').filter((webhook) => isJsonObject(webhook)));
  }

  #creation(resource: Resource, object: ApiObject): Creation {
    const namespaces = findResource('', 'v1', 'namespaces');
    const { namespace } = object.metadata;
    const found = namespaces && namespace !== undefined ? this.#store.get(namespaces, undefined, namespace) : undefined;
    return { resource, object, namespaceLabels: found?.metadata.labels ?? {} };
  }
}

/** What a patch left, which may be anything. */
function whole(before: ApiObject, after: Json): ApiObject {
  if (!isJsonObject(after) || !isJsonObject(after.metadata))
    throw new StatusError(500, 'InternalError', 'Internal error occurred: a webhook left no object');
  return { ...after, metadata: { ...objectAt(after, 'metadata'), name: before.metadata.name } } as ApiObject;
}

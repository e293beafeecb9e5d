import { randomInt, randomUUID } from 'node:crypto';
import { type AdmissionRequest, AdmissionWebhooks } from './admission.ts';
import type { ApiObject, Draft, Json, JsonObject, Metadata } from './api-object.ts';
import { objectAt, sameJson, stringAt, without } from './api-object.ts';
import { applyOwned, type ManagedFields, ownersAfterUpdate } from './field-owners.ts';
import { applyPatch } from './patch.ts';
import { boundPod } from './pods.ts';
import { type DeleteOptions, decodeDraft } from './request-body.ts';
import type { Resource } from './resource.ts';
import { findResource, resources } from './resources.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  invalidValue,
  methodNotAllowed,
  notFound,
  required,
  staleVersion,
} from './status.ts';
import type { Storage } from './storage.ts';
import { checkMetadata, checkName } from './validation.ts';

/** Time and randomness. */
export interface Sources {
  now(): Date;
  uid(): string;
  /** Five characters that are appended to `generateName`. */
  suffix(): string;
}

/** The characters of Kubernetes' generated names: no vowels, and none that look alike. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

export const systemSources: Sources = {
  now: () => new Date(),
  uid: () => randomUUID(),
  suffix: () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join(''),
};

/** RFC 3339 with whole seconds, like metav1.Time. */
const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

/** Addresses one object or its status. */
export interface ObjectAddress {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly status: boolean;
}

/** A create request. */
export interface CreateRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly body: Json;
  readonly dryRun: boolean;
  /** Receives the warnings of admission webhooks. */
  readonly warn: (text: string) => void;
  /** Removes or refuses fields that the kind does not have. */
  readonly checkFields: (draft: Draft) => Promise<Draft>;
  /** Of an object that server-side apply creates. */
  readonly owners?: ManagedFields;
}

export interface WriteOptions extends Pick<CreateRequest, 'dryRun' | 'warn' | 'checkFields'> {
  /** The name under which the client writes fields (`fieldManager`). */
  readonly manager: string;
}

interface PatchOptions extends WriteOptions {
  /** Server-side apply takes fields that others own. */
  readonly force: boolean;
  /** Throws if the user may not create objects, which server-side apply does if there is none. */
  readonly requireCreate: () => void;
}

interface Patched {
  readonly created: boolean;
  readonly object: ApiObject;
}

class ChangedMeanwhile extends Error {}

/** As often as kube-apiserver (`maxRetryWhenPatchConflicts`). */
const maxRetries = 5;

/** Repeats an update whose object was changed while webhooks were called. One that names a version then gets a 409. */
async function retryChanged<T>({ resource, name }: ObjectAddress, update: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt <= maxRetries; attempt++) {
    try {
      return await update();
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile)) throw error;
    }
  }
  throw staleVersion(resource, name);
}

/** The verbs on stored objects, with Kubernetes' rules about versions, status, generations, finalizers and grace. */
export class Registry {
  readonly #store: Storage;
  readonly #webhooks: AdmissionWebhooks;
  readonly #sources: Sources;

  constructor({ store, sources }: { store: Storage; sources: Sources }) {
    this.#store = store;
    this.#webhooks = new AdmissionWebhooks(store);
    this.#sources = sources;
  }

  read({ resource, namespace, name }: Omit<ObjectAddress, 'status'>): ApiObject {
    const found = this.#store.get(resource, namespace, name);
    if (!found) throw notFound(resource, name);
    return found;
  }

  async create({
    resource,
    namespace,
    body,
    owners = [],
    dryRun,
    warn,
    checkFields,
  }: CreateRequest): Promise<ApiObject> {
    const draft = await checkFields(decodeDraft(resource, namespace, body));
    if (draft.metadata.resourceVersion !== undefined && draft.metadata.resourceVersion !== '') {
      throw badRequest('resourceVersion should not be set on objects to be created');
    }
    const named = this.#identified(resource, namespace, draft);
    checkDraft(resource, named);
    this.#checkNamespace(resource, namespace, named.metadata.name);
    const generated = stringAt(draft, 'metadata', 'name') === '';
    const request = { resource, oldObject: undefined, generated, dryRun, warn };
    const mutated = await this.#webhooks.mutate({ ...request, object: named });
    const object = withOwners({ ...mutated, metadata: withIdentity(named.metadata, mutated.metadata) }, owners);
    checkDraft(resource, object);
    await this.#webhooks.validate({ ...request, object });
    this.#checkNamespace(resource, namespace, named.metadata.name);
    if (this.#store.get(resource, namespace, object.metadata.name)) throw alreadyExists(resource, object.metadata.name);
    return dryRun ? object : this.#store.put(resource, object);
  }

  replace(target: ObjectAddress, body: Json, options: WriteOptions): Promise<ApiObject> {
    return retryChanged(target, () => this.#replaceOnce(target, body, options));
  }

  async #replaceOnce(target: ObjectAddress, body: Json, options: WriteOptions): Promise<ApiObject> {
    const draft = await options.checkFields(decodeDraft(target.resource, target.namespace, body));
    const old = this.read(target);
    if (stringAt(draft, 'metadata', 'name') !== target.name) {
      throw badRequest(
        `the name of the object (${stringAt(draft, 'metadata', 'name')}) does not match the name on the URL (${target.name})`,
      );
    }
    if (target.resource.custom && stringAt(draft, 'metadata', 'resourceVersion') === '') {
      throw invalid(target.resource, target.name, [
        {
          field: 'metadata.resourceVersion',
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0x0: must be specified for an update',
        },
      ]);
    }
    return this.#update(target, old, draft, options);
  }

  /** Patches an object; server-side apply creates it if it does not exist. */
  patch(target: ObjectAddress, type: string, patch: Json, options: PatchOptions): Promise<Patched> {
    return retryChanged(target, () => this.#patchOnce(target, type, patch, options));
  }

  async #patchOnce(
    target: ObjectAddress,
    type: string,
    patch: Json,
    { requireCreate, force, ...options }: PatchOptions,
  ): Promise<Patched> {
    const { resource, namespace, name } = target;
    const old = this.#store.get(resource, namespace, name);
    const applies = type.startsWith('application/apply-patch');
    const apply = { resource, manager: options.manager, force, old };
    if (!old) {
      if (!applies || target.status) throw notFound(resource, name);
      requireCreate();
      const draft = decodeDraft(resource, namespace, patch);
      const body = { ...draft, metadata: { ...without(draft.metadata, 'resourceVersion'), name } };
      const { owners } = applyOwned({ ...apply, patch: draft, merged: body });
      return { created: true, object: await this.create({ resource, namespace, body, owners, ...options }) };
    }
    const merged = decodeDraft(resource, namespace, applyPatch({ resource, type, target: old, patch }));
    const applied = applies ? applyOwned({ ...apply, patch: patch as JsonObject, merged }) : undefined;
    const patched = await options.checkFields((applied?.object as Draft | undefined) ?? merged);
    if (stringAt(patched, 'metadata', 'name') !== name) {
      const newName = stringAt(patched, 'metadata', 'name');
      throw invalid(resource, name, [invalidValue('metadata.name', newName, 'field is immutable')]);
    }
    return {
      created: false,
      object: await this.#update(target, old, patched, { ...options, owners: applied?.owners }),
    };
  }

  /** Binds a pod to a node (`pods/binding`), which is the only way to set `spec.nodeName` of an existing pod. */
  bind(target: ObjectAddress, body: Json): void {
    const pod = this.read(target);
    const node = stringAt(body, 'target', 'name');
    if (node === '') throw invalid(target.resource, target.name, [required('target.name')]);
    const bound = stringAt(pod, 'spec', 'nodeName');
    if (bound !== '')
      throw conflict(target.resource, target.name, `pod ${target.name} is already assigned to node "${bound}"`);
    this.#store.put(target.resource, boundPod(pod, node, timestamp(this.#sources.now())));
  }

  /** Deletes an object. It is removed later, and `removed` is false, if it has a grace period or finalizers. */
  delete(target: ObjectAddress, options: DeleteOptions): { readonly removed: boolean; readonly object: ApiObject } {
    const { resource, name } = target;
    const old = this.read(target);
    const { metadata } = old;
    if (options.uid !== undefined && options.uid !== metadata.uid) {
      throw conflict(
        resource,
        name,
        `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${metadata.uid}`,
      );
    }
    if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
      throw staleVersion(resource, name);
    }
    if (options.dryRun) return { removed: true, object: old };
    if (resource.kind === 'Namespace') return this.#terminateNamespace(resource, old);
    const allowed = resource.grace?.(old) ?? 0;
    const grace = allowed === 0 ? 0 : (options.gracePeriodSeconds ?? allowed);
    if (grace === 0 && (metadata.finalizers ?? []).length === 0) {
      return { removed: true, object: this.#remove(resource, old, options.orphan) };
    }
    if (metadata.deletionTimestamp !== undefined && grace >= (metadata.deletionGracePeriodSeconds ?? 0)) {
      return { removed: false, object: old };
    }
    const end = new Date(this.#sources.now().getTime() + 1000 * grace);
    const object = this.#store.put(resource, {
      ...old,
      metadata: {
        ...metadata,
        deletionTimestamp: timestamp(end),
        deletionGracePeriodSeconds: grace,
        ...(resource.generation ? { generation: (metadata.generation ?? 0) + 1 } : {}),
      },
    });
    return { removed: false, object };
  }

  #identified(resource: Resource, namespace: string | undefined, draft: Draft): ApiObject {
    const { metadata: given, ...rest } = resource.prepare?.(draft) ?? this.#withoutStatus(resource, draft);
    const generateName = stringAt(given, 'generateName');
    const name =
      stringAt(given, 'name') || (generateName === '' ? '' : `${generateName.slice(0, 58)}${this.#sources.suffix()}`);
    return {
      ...rest,
      apiVersion: stringAt(draft, 'apiVersion'),
      kind: resource.kind,
      metadata: {
        ...without(given, 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields', 'selfLink', 'generation'),
        name,
        ...(namespace === undefined ? {} : { namespace }),
        uid: this.#sources.uid(),
        resourceVersion: '',
        creationTimestamp: timestamp(this.#sources.now()),
        ...(resource.generation ? { generation: 1 } : {}),
      },
    } as ApiObject;
  }

  #withoutStatus(resource: Resource, draft: Draft): Draft {
    return resource.status === 'separate' ? (without(draft, 'status') as Draft) : draft;
  }

  #checkNamespace(resource: Resource, namespace: string | undefined, name: string): void {
    const namespaces = findResource('', 'v1', 'namespaces');
    if (!resource.namespaced || !namespaces) return;
    const found = this.#store.get(namespaces, undefined, namespace ?? '');
    if (!found) throw notFound(namespaces, namespace ?? '');
    if (found.metadata.deletionTimestamp === undefined) return;
    throw forbidden(
      resource,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
  }

  async #update(
    target: ObjectAddress,
    old: ApiObject,
    draft: Draft,
    { dryRun, warn, manager, owners }: WriteOptions & { readonly owners?: ManagedFields | undefined },
  ): Promise<ApiObject> {
    if (this.#store.get(target.resource, target.namespace, target.name) !== old) throw new ChangedMeanwhile();
    const { resource, name } = target;
    const version = stringAt(draft, 'metadata', 'resourceVersion');
    if (version !== '' && version !== old.metadata.resourceVersion) throw staleVersion(resource, name);
    const uid = stringAt(draft, 'metadata', 'uid');
    if (uid !== '' && uid !== old.metadata.uid) {
      throw conflict(
        resource,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
      );
    }
    if (target.status && resource.status === 'none') throw methodNotAllowed();
    const merged = this.#merged(target, old, draft);
    checkUpdate(resource, old, merged);
    const admitted = target.status ? merged : await this.#admitUpdate(old, { resource, object: merged, dryRun, warn });
    const next = withOwners(admitted, owners ?? ownersAfterUpdate({ resource, manager }, { old, next: admitted }));
    if (sameJson(next, old)) return old;
    const object =
      resource.generation && !sameJson(this.#content(next), this.#content(old)) ? this.#nextGeneration(next) : next;
    if (dryRun) return object;
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
    const mayBeRemoved = deletionTimestamp !== undefined && (deletionGracePeriodSeconds ?? 0) === 0;
    if (mayBeRemoved && (finalizers ?? []).length === 0 && resource.kind !== 'Namespace')
      return this.#remove(resource, object, false);
    return this.#store.put(resource, object);
  }

  /** Calls the webhooks for an update. Throws `ChangedMeanwhile` if the object was changed during the calls. */
  async #admitUpdate(old: ApiObject, request: Omit<AdmissionRequest, 'oldObject' | 'generated'>): Promise<ApiObject> {
    const { resource } = request;
    const { namespace, name } = old.metadata;
    const mutated = await this.#webhooks.mutate({ ...request, oldObject: old, generated: false });
    const object = { ...mutated, metadata: withIdentity(old.metadata, mutated.metadata) };
    checkUpdate(resource, old, object);
    await this.#webhooks.validate({ ...request, object, oldObject: old, generated: false });
    if (this.#store.get(resource, namespace, name) !== old) throw new ChangedMeanwhile();
    return object;
  }

  /** The old object with the parts that this request may change: the status only, or everything else. */
  #merged(target: ObjectAddress, old: ApiObject, draft: Draft): ApiObject {
    if (target.status) return { ...old, status: objectAt(draft, 'status') };
    const rest = without(target.resource.prepare?.(draft) ?? draft, 'status', 'metadata');
    const status = old.status;
    return {
      ...rest,
      apiVersion: old.apiVersion,
      kind: old.kind,
      metadata: withIdentity(old.metadata, draft.metadata),
      ...(status === undefined ? {} : { status }),
    } as ApiObject;
  }

  #content(object: ApiObject): JsonObject {
    return without(object, 'metadata', 'status');
  }

  #nextGeneration(object: ApiObject): ApiObject {
    return { ...object, metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 } };
  }

  #terminateNamespace(
    resource: Resource,
    namespace: ApiObject,
  ): { readonly removed: boolean; readonly object: ApiObject } {
    const { name } = namespace.metadata;
    if (['default', 'kube-system'].includes(name)) throw forbidden(resource, name, 'this namespace may not be deleted');
    const object =
      namespace.metadata.deletionTimestamp === undefined
        ? this.#store.put(resource, {
            ...namespace,
            metadata: { ...namespace.metadata, deletionTimestamp: timestamp(this.#sources.now()) },
            status: { ...namespace.status, phase: 'Terminating' },
          })
        : namespace;
    for (const kind of resources.filter(({ namespaced }) => namespaced)) {
      for (const { metadata } of this.#store.list(kind, name)) {
        if (!this.#store.get(kind, name, metadata.name)) continue;
        this.delete(
          { resource: kind, namespace: name, name: metadata.name, status: false },
          { orphan: false, dryRun: false },
        );
      }
    }
    this.#removeEmptyNamespace(name);
    return { removed: this.#store.get(resource, undefined, name) === undefined, object };
  }

  #removeEmptyNamespace(name: string | undefined): void {
    const resource = findResource('', 'v1', 'namespaces');
    if (!resource || name === undefined) return;
    const namespace = this.#store.get(resource, undefined, name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const isEmpty = !resources.some((kind) => kind.namespaced && this.#store.list(kind, name).length > 0);
    if (isEmpty) this.#store.remove(resource, namespace);
  }

  #remove(resource: Resource, object: ApiObject, orphan: boolean): ApiObject {
    const removed = this.#store.remove(resource, object);
    for (const { resource: kind, object: dependent, action } of findDependents(this.#store, object, orphan)) {
      const { namespace, name } = dependent.metadata;
      if (action === 'release') this.#store.put(kind, dependent);
      else if (this.#store.get(kind, namespace, name)) {
        this.delete({ resource: kind, namespace, name, status: false }, { orphan: false, dryRun: false });
      }
    }
    this.#removeEmptyNamespace(object.metadata.namespace);
    return removed;
  }
}

/** Throws a 422 if the name, the metadata or a field that the kind requires is wrong. */
function checkDraft(resource: Resource, object: JsonObject): void {
  const name = stringAt(object, 'metadata', 'name');
  const causes = [
    ...checkName('metadata.name', name, resource.names),
    ...checkMetadata(objectAt(object, 'metadata')),
    ...(resource.check?.(object) ?? []),
  ];
  if (causes.length > 0) throw invalid(resource, name, causes);
}

/** Throws a 422 if the new state of an object is wrong or changes an immutable field. */
function checkUpdate(resource: Resource, old: ApiObject, next: ApiObject): void {
  checkDraft(resource, next);
  const causes = resource.checkUpdate?.(old, next) ?? [];
  if (causes.length > 0) throw invalid(resource, next.metadata.name, causes);
}

function withOwners(object: ApiObject, owners: ManagedFields): ApiObject {
  if (owners.length === 0 && object.metadata.managedFields === undefined) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: owners } };
}

/** The new metadata with the server's own part of the old one, which clients cannot change. */
const withIdentity = (old: Metadata, next: JsonObject): Metadata => ({
  ...without(next, 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'managedFields', 'selfLink'),
  name: old.name,
  ...(old.namespace === undefined ? {} : { namespace: old.namespace }),
  uid: old.uid,
  resourceVersion: old.resourceVersion,
  creationTimestamp: old.creationTimestamp,
  ...(old.generation === undefined ? {} : { generation: old.generation }),
  ...(old.deletionTimestamp === undefined ? {} : { deletionTimestamp: old.deletionTimestamp }),
  ...(old.deletionGracePeriodSeconds === undefined
    ? {}
    : { deletionGracePeriodSeconds: old.deletionGracePeriodSeconds }),
});

/** An object whose owner was removed: it is deleted, or kept without the reference. */
interface Dependent {
  readonly resource: Resource;
  readonly object: ApiObject;
  readonly action: 'delete' | 'release';
}

/** The dependents of a removed object, by `metadata.ownerReferences`. Those with another owner are kept. */
function findDependents(store: Storage, owner: ApiObject, orphan: boolean): readonly Dependent[] {
  return resources.flatMap((resource) =>
    store.list(resource).flatMap((object): readonly Dependent[] => {
      const references = object.metadata.ownerReferences ?? [];
      if (!references.some(({ uid }) => uid === owner.metadata.uid)) return [];
      const otherOwners = references.filter(({ uid }) => uid !== owner.metadata.uid);
      if (otherOwners.length === 0 && !orphan) return [{ resource, object, action: 'delete' }];
      const released = { ...object, metadata: { ...object.metadata, ownerReferences: otherOwners } };
      return [{ resource, object: released, action: 'release' }];
    }),
  );
}

import type { ApiObject } from './api-object.ts';
import type { Resource } from './resource.ts';

/** One change of one object. `version`: the resourceVersion that it created. */
export interface StoredChange {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
  /** The object before the change: a watcher with a selector compares the two. */
  readonly previous: ApiObject | undefined;
}

interface KindStorage {
  readonly objects: Map<string, ApiObject>;
  readonly watchers: Set<(change: StoredChange) => void>;
  /** Latest changes, oldest first. */
  changes: StoredChange[];
  /** Version of the latest change that is no longer in `changes`. */
  forgotten: number;
}

const key = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** Objects in memory, with one resourceVersion counter for all of them and the latest changes of each kind. */
export class Storage {
  readonly #kinds = new Map<string, KindStorage>();
  readonly #historyLength: number;
  #version = 1;

  /** `historyLength`: number of changes kept for each kind; a watch that starts before them gets a 410. */
  constructor(historyLength: number) {
    this.#historyLength = historyLength;
  }

  get version(): number {
    return this.#version;
  }

  get(resource: Resource, namespace: string | undefined, name: string): ApiObject | undefined {
    return this.#kind(resource).objects.get(key(namespace, name));
  }

  /** Lists the objects of one namespace, or of all. */
  list(resource: Resource, namespace?: string): readonly ApiObject[] {
    const all = [...this.#kind(resource).objects.values()];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Stores an object, notifies watchers and returns the object with its new version. */
  put(resource: Resource, object: ApiObject): ApiObject {
    const { metadata } = object;
    const id = key(metadata.namespace, metadata.name);
    const previous = this.#kind(resource).objects.get(id);
    const stored = this.#withNewVersion(object);
    this.#kind(resource).objects.set(id, stored);
    this.#notify(resource, { version: this.#version, type: previous ? 'MODIFIED' : 'ADDED', object: stored, previous });
    return stored;
  }

  /** Removes an object, notifies watchers and returns the object with the version of its removal. */
  remove(resource: Resource, object: ApiObject): ApiObject {
    const { metadata } = object;
    const last = this.#withNewVersion(object);
    this.#kind(resource).objects.delete(key(metadata.namespace, metadata.name));
    this.#notify(resource, { version: this.#version, type: 'DELETED', object: last, previous: object });
    return last;
  }

  /** Changes after a version; undefined if they are no longer, or not yet, known. */
  changesAfter(resource: Resource, version: number): readonly StoredChange[] | undefined {
    const { changes, forgotten } = this.#kind(resource);
    if (version < forgotten || version > this.#version) return undefined;
    return changes.filter((change) => change.version > version);
  }

  /** The oldest version from which a watch may start. */
  oldest(resource: Resource): number {
    return this.#kind(resource).forgotten;
  }

  /** Calls the watcher synchronously within each write. */
  watch(resource: Resource, watcher: (change: StoredChange) => void): Disposable {
    const { watchers } = this.#kind(resource);
    watchers.add(watcher);
    return { [Symbol.dispose]: () => watchers.delete(watcher) };
  }

  #kind({ group, plural }: Resource): KindStorage {
    const id = `${group}/${plural}`;
    const existing = this.#kinds.get(id);
    if (existing) return existing;
    const kind: KindStorage = { objects: new Map(), watchers: new Set(), changes: [], forgotten: 0 };
    this.#kinds.set(id, kind);
    return kind;
  }

  #withNewVersion(object: ApiObject): ApiObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #notify(resource: Resource, change: StoredChange): void {
    const kind = this.#kind(resource);
    kind.changes.push(change);
    if (kind.changes.length > 2 * this.#historyLength) {
      const dropped = kind.changes.length - this.#historyLength;
      kind.forgotten = kind.changes[dropped - 1]?.version ?? kind.forgotten;
      kind.changes = kind.changes.slice(dropped);
    }
    for (const watcher of [...kind.watchers]) watcher(change);
  }
}

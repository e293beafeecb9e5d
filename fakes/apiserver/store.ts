import type { ApiObject } from './api-object.ts';
import type { Resource } from './resource.ts';

/** One change of one object, in the order of its version. */
export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
  /** The object before, so that a watcher with a selector can tell entering from leaving. */
  readonly previous: ApiObject | undefined;
}

interface Shelf {
  readonly objects: Map<string, ApiObject>;
  readonly watchers: Set<(change: Change) => void>;
  /** Latest changes, oldest first. */
  changes: Change[];
  /** Version of the latest change that is no longer in `changes`. */
  forgotten: number;
}

const key = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** Objects in memory, one resourceVersion counter for all of them, and the latest changes of each kind. */
export class Store {
  readonly #shelves = new Map<string, Shelf>();
  readonly #historyLength: number;
  #version = 1;

  /** `historyLength`: changes remembered of each kind; a watch from before them is told 410. */
  constructor(historyLength: number) {
    this.#historyLength = historyLength;
  }

  get version(): number {
    return this.#version;
  }

  get(resource: Resource, namespace: string | undefined, name: string): ApiObject | undefined {
    return this.#shelf(resource).objects.get(key(namespace, name));
  }

  /** Of one namespace, or of all. */
  list(resource: Resource, namespace?: string): readonly ApiObject[] {
    const all = [...this.#shelf(resource).objects.values()];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Stores and tells watchers before it returns; yields the object with its new version. */
  put(resource: Resource, object: ApiObject): ApiObject {
    const { metadata } = object;
    const at = key(metadata.namespace, metadata.name);
    const previous = this.#shelf(resource).objects.get(at);
    const stored = this.#stamp(object);
    this.#shelf(resource).objects.set(at, stored);
    this.#tell(resource, { version: this.#version, type: previous ? 'MODIFIED' : 'ADDED', object: stored, previous });
    return stored;
  }

  /** Removes and tells watchers; yields the object as it was last, with the version of its removal. */
  remove(resource: Resource, object: ApiObject): ApiObject {
    const { metadata } = object;
    const last = this.#stamp(object);
    this.#shelf(resource).objects.delete(key(metadata.namespace, metadata.name));
    this.#tell(resource, { version: this.#version, type: 'DELETED', object: last, previous: object });
    return last;
  }

  /** Changes after a version, or undefined where they are no longer (or not yet) known. */
  changesAfter(resource: Resource, version: number): readonly Change[] | undefined {
    const { changes, forgotten } = this.#shelf(resource);
    if (version < forgotten || version > this.#version) return undefined;
    return changes.filter((change) => change.version > version);
  }

  /** The oldest version that a watch may start from. */
  oldest(resource: Resource): number {
    return this.#shelf(resource).forgotten;
  }

  /** Calls back synchronously within each write. */
  watch(resource: Resource, watcher: (change: Change) => void): Disposable {
    const { watchers } = this.#shelf(resource);
    watchers.add(watcher);
    return { [Symbol.dispose]: () => watchers.delete(watcher) };
  }

  #shelf({ group, plural }: Resource): Shelf {
    const at = `${group}/${plural}`;
    const found = this.#shelves.get(at);
    if (found) return found;
    const shelf: Shelf = { objects: new Map(), watchers: new Set(), changes: [], forgotten: 0 };
    this.#shelves.set(at, shelf);
    return shelf;
  }

  #stamp(object: ApiObject): ApiObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }

  #tell(resource: Resource, change: Change): void {
    const shelf = this.#shelf(resource);
    shelf.changes.push(change);
    if (shelf.changes.length > 2 * this.#historyLength) {
      const dropped = shelf.changes.length - this.#historyLength;
      shelf.forgotten = shelf.changes[dropped - 1]?.version ?? shelf.forgotten;
      shelf.changes = shelf.changes.slice(dropped);
    }
    for (const watcher of [...shelf.watchers]) watcher(change);
  }
}

import type { ApiObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { resources } from './resources.ts';
import type { Store } from './store.ts';

/** What becomes of an object whose owner went: it is deleted, or kept without the reference. */
export interface Dependent {
  readonly resource: Resource;
  readonly object: ApiObject;
  readonly action: 'delete' | 'release';
}

/** The dependents of an object that was removed, by `metadata.ownerReferences`. One with another owner left is kept. */
export function afterRemoval(store: Store, owner: ApiObject, orphan: boolean): readonly Dependent[] {
  return resources.flatMap((resource) =>
    store.list(resource).flatMap((object): readonly Dependent[] => {
      const references = object.metadata.ownerReferences ?? [];
      if (!references.some(({ uid }) => uid === owner.metadata.uid)) return [];
      const others = references.filter(({ uid }) => uid !== owner.metadata.uid);
      if (others.length === 0 && !orphan) return [{ resource, object, action: 'delete' }];
      const released = { ...object, metadata: { ...object.metadata, ownerReferences: others } };
      return [{ resource, object: released, action: 'release' }];
    }),
  );
}

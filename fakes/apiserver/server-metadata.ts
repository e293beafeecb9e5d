import type { JsonObject, Metadata } from './api-object.ts';
import { without } from './api-object.ts';

/** What an update may not touch: the server's own part of the metadata. */
export const identity = (old: Metadata, next: JsonObject): Metadata => ({
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

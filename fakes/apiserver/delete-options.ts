import type { Json } from './api-object.ts';
import { isJsonObject, objectAt, stringAt } from './api-object.ts';
import { badRequest } from './status.ts';

/** What a delete may say, in its body (DeleteOptions) or its query. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly orphan: boolean;
  readonly dryRun: boolean;
}

export function deleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  if (body !== undefined && !isJsonObject(body)) throw badRequest('DeleteOptions is not an object');
  const given = objectAt({ body }, 'body');
  const grace = given.gracePeriodSeconds ?? query.get('gracePeriodSeconds');
  const seconds = grace === null || grace === undefined || grace === '' ? undefined : Number(grace);
  if (seconds !== undefined && (!Number.isInteger(seconds) || seconds < 0)) {
    throw badRequest(`gracePeriodSeconds: ${JSON.stringify(grace)} is not a non-negative integer`);
  }
  const uid = stringAt(given, 'preconditions', 'uid');
  const resourceVersion = stringAt(given, 'preconditions', 'resourceVersion');
  const policy = stringAt(given, 'propagationPolicy') || query.get('propagationPolicy');
  return {
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
    orphan: policy === 'Orphan' || given.orphanDependents === true || query.get('orphanDependents') === 'true',
    dryRun: query.get('dryRun') === 'All' || Array.isArray(given.dryRun),
  };
}

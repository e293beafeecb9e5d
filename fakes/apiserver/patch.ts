import type { ApiObject, Json } from './api-object.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import type { Resource } from './resource.ts';
import { unsupportedMediaType } from './status.ts';
import { strategicMerge } from './strategic-merge.ts';

const forAll = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'] as const;
const strategic = 'application/strategic-merge-patch+json';

/** The patched object, not yet checked. Server-side apply is a merge: who owns which field is not recorded. */
export function applyPatch({
  resource,
  type,
  target,
  patch,
}: {
  readonly resource: Resource;
  readonly type: string;
  readonly target: ApiObject;
  readonly patch: Json;
}): Json {
  switch (type) {
    case 'application/json-patch+json':
      return jsonPatch(target, patch);
    case 'application/merge-patch+json':
      return mergePatch(target, patch);
    case strategic:
      if (!resource.custom) return strategicMerge(target, patch);
      break;
    case 'application/apply-patch+yaml':
      return resource.custom ? mergePatch(target, patch) : strategicMerge(target, patch);
  }
  throw unsupportedMediaType(type, resource.custom ? forAll : [...forAll, strategic]);
}

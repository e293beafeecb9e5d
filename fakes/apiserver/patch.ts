import { applyPatch as applyJsonPatch, type Operation } from 'rfc6902';
import type { ApiObject, Json, JsonObject } from './api-object.ts';
import { isJsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { badRequest, StatusError, unsupportedMediaType } from './status.ts';

const commonTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
] as const;
const strategicType = 'application/strategic-merge-patch+json';

/** Applies a patch; the result is not validated. Server-side apply is a merge; `field-owners.ts` removes what is no longer applied. */
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
    case strategicType:
      if (!resource.custom) return strategicMerge(target, patch);
      break;
    case 'application/apply-patch+yaml':
      return resource.custom ? mergePatch(target, patch) : strategicMerge(target, patch);
  }
  throw unsupportedMediaType(type, resource.custom ? commonTypes : [...commonTypes, strategicType]);
}

const operations: readonly unknown[] = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/** JSON patch (RFC 6902). A malformed operation is a 400, one that cannot be applied a 422. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw badRequest('json patch: expected a list of operations');
  // In a wrapper, because the library cannot replace or remove the document itself.
  const wrapper = { document: structuredClone(target) };
  const pointerIn = (operation: JsonObject, key: string): string => {
    const pointer = operation[key];
    if (typeof pointer === 'string' && (pointer === '' || pointer.startsWith('/'))) return `/document${pointer}`;
    throw badRequest(`json patch: ${JSON.stringify(pointer)} is not a JSON pointer`);
  };
  for (const operation of patch as readonly Json[]) {
    if (!isJsonObject(operation)) throw badRequest('json patch: an operation must be an object');
    const { op, value = null } = operation;
    if (!operations.includes(op)) throw badRequest(`json patch: unknown operation ${JSON.stringify(op)}`);
    const path = pointerIn(operation, 'path');
    const from = op === 'move' || op === 'copy' ? { from: pointerIn(operation, 'from') } : {};
    const [error] = applyJsonPatch(wrapper, [{ op, path, value: structuredClone(value), ...from } as Operation]);
    if (!error) continue;
    const problem = error.name === 'TestError' ? 'the value differs' : 'no such path';
    throw new StatusError(422, 'Invalid', `the server rejected our request: ${op} ${operation.path}: ${problem}`);
  }
  return wrapper.document ?? null;
}

/** JSON merge patch (RFC 7386): null removes, objects merge, other values replace. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, Json | undefined> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (value !== undefined) merged[key] = mergePatch(merged[key], value);
  }
  return merged as JsonObject;
}

/** Lists of objects that are merged by a key (`patchMergeKey` in Kubernetes' types). Other lists are replaced. */
export const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  secrets: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  ports: 'containerPort',
  hostAliases: 'ip',
  conditions: 'type',
  addresses: 'type',
  ownerReferences: 'uid',
  topologySpreadConstraints: 'topologyKey',
};
/** Lists of plain values that are merged as sets. */
export const setFields: ReadonlySet<string> = new Set(['finalizers', 'podCIDRs']);

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

function mergeList(key: string, target: readonly Json[], patch: readonly Json[], order: readonly Json[]): Json {
  if (patch.some((item) => isJsonObject(item) && item.$patch === 'replace')) {
    return patch.filter((item) => !isJsonObject(item) || item.$patch !== 'replace');
  }
  if (setFields.has(key)) return [...new Set([...target, ...patch])];
  const mergeKey = mergeKeys[key];
  if (mergeKey === undefined) return patch;
  const identity = (item: Json): Json | undefined => (isJsonObject(item) ? item[mergeKey] : undefined);
  const merged = new Map(target.map((item) => [identity(item), item]));
  for (const item of patch) {
    if (isJsonObject(item) && item.$patch === 'delete') merged.delete(identity(item));
    else merged.set(identity(item), strategicMerge(merged.get(identity(item)), item));
  }
  const rank = new Map(order.map((item, index) => [identity(item), index]));
  const last = order.length;
  return [...merged.values()]
    .map((item, index) => ({ item, index, rank: rank.get(identity(item)) ?? last + index }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ item }) => item);
}

/** Strategic merge patch for the served kinds, with `$patch`, `$setElementOrder` and `$retainKeys`. */
export function strategicMerge(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const { $patch: directive, $retainKeys: retain, ...rest } = patch;
  if (directive === 'delete') return {};
  const base: JsonObject = isJsonObject(target) && directive !== 'replace' ? target : {};
  const merged: Record<string, Json | undefined> = Array.isArray(retain)
    ? Object.fromEntries(Object.entries(base).filter(([key]) => retain.includes(key)))
    : { ...base };
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined || key.startsWith(orderPrefix)) continue;
    if (key.startsWith(deletePrefix)) {
      const name = key.slice(deletePrefix.length);
      const list = merged[name];
      if (Array.isArray(list) && Array.isArray(value)) merged[name] = list.filter((item) => !value.includes(item));
    } else if (value === null) delete merged[key];
    else if (Array.isArray(value)) {
      const list = merged[key];
      const order = rest[`${orderPrefix}${key}`];
      merged[key] = mergeList(key, Array.isArray(list) ? list : [], value, Array.isArray(order) ? order : []);
    } else merged[key] = strategicMerge(merged[key], value);
  }
  return merged as JsonObject;
}

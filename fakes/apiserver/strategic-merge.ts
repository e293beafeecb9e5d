import type { Json, JsonObject } from './api-object.ts';
import { isJsonObject } from './api-object.ts';

/** Lists of objects that are merged by a key (`patchMergeKey` in Kubernetes' types); all other lists are replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
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
const sets: ReadonlySet<string> = new Set(['finalizers', 'podCIDRs']);

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

function mergeList(key: string, target: readonly Json[], patch: readonly Json[], order: readonly Json[]): Json {
  if (patch.some((item) => isJsonObject(item) && item.$patch === 'replace')) {
    return patch.filter((item) => !isJsonObject(item) || item.$patch !== 'replace');
  }
  if (sets.has(key)) return [...new Set([...target, ...patch])];
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

/** Strategic merge patch, with the merge keys of the kinds that are served, `$patch`, `$setElementOrder` and `$retainKeys`. */
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

import type { ApiObject, Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt, sameJson, stringAt, without } from './api-object.ts';
import { mergeKeys, setFields } from './patch.ts';
import { groupVersion, type Resource } from './resource.ts';
import { StatusError } from './status.ts';

/** Steps from the root of an object, as in `fieldsV1`: `f:name` of a field, `k:{"name":"a"}` of a list's item, `v:"a"` of a value. */
type Path = readonly string[];

/** A writer of fields. Only those of appliers are known, and what updates took from them. */
interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
}

interface Owned extends Owner {
  readonly paths: readonly Path[];
}

const identity = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
]);

/** The leaves of what a client applies. A list without merge keys is one leaf. */
function leaves(resource: Resource, value: Json | undefined, path: Path = []): readonly Path[] {
  const key = path.at(-1)?.slice(2) ?? '';
  if (isJsonObject(value)) {
    const entries = Object.entries(value).filter(([name, each]) => each !== undefined && !isIdentity(path, name));
    if (entries.length === 0) return path.length === 0 || (path[0] === 'f:metadata' && path.length === 1) ? [] : [path];
    return entries.flatMap(([name, each]) => leaves(resource, each, [...path, `f:${name}`]));
  }
  if (!Array.isArray(value) || resource.custom) return [path];
  if (setFields.has(key)) return value.map((each) => [...path, `v:${JSON.stringify(each)}`]);
  const mergeKey = mergeKeys[key];
  if (mergeKey === undefined) return [path];
  return value.flatMap((each: Json) => {
    const item = [...path, `k:${JSON.stringify({ [mergeKey]: isJsonObject(each) ? (each[mergeKey] ?? null) : null })}`];
    return [item, ...leaves(resource, each, item)];
  });
}

const isIdentity = (path: Path, name: string): boolean =>
  path.length === 0
    ? name === 'apiVersion' || name === 'kind'
    : path.length === 1 && path[0] === 'f:metadata' && identity.has(name);

/** Finds the item or value of a list that a step names. */
function indexIn(list: readonly Json[], step: string): number {
  const wanted = JSON.parse(step.slice(2)) as Json;
  return list.findIndex((each) =>
    step.startsWith('v:')
      ? sameJson(each, wanted)
      : isJsonObject(wanted) &&
        Object.entries(wanted).every(([key, value]) => isJsonObject(each) && sameJson(each[key], value)),
  );
}

function valueAt(value: Json | undefined, path: Path): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step.startsWith('f:')) return isJsonObject(value) ? valueAt(value[step.slice(2)], rest) : undefined;
  return Array.isArray(value) ? valueAt(value[indexIn(value, step)], rest) : undefined;
}

/** A copy without what is at a path, and without the maps and lists that are empty then. */
function removeAt(value: Json | undefined, path: Path): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  if (step.startsWith('f:')) {
    if (!isJsonObject(value)) return value;
    const name = step.slice(2);
    const inner = removeAt(value[name], rest);
    const remaining = inner === undefined ? without(value, name) : { ...value, [name]: inner };
    return Object.keys(remaining).length === 0 ? undefined : remaining;
  }
  if (!Array.isArray(value)) return value;
  const index = indexIn(value, step);
  if (index < 0) return value;
  const inner = removeAt(value[index], rest);
  const remaining = value.toSpliced(index, 1, ...(inner === undefined ? [] : [inner]));
  return remaining.length === 0 ? undefined : remaining;
}

const text = (path: Path): string => JSON.stringify(path);
const startsWith = (path: Path, prefix: Path): boolean => prefix.every((step, index) => path[index] === step);
/** An item is its owners' through its fields. Its own leaf says only that it was applied. */
const isItem = (path: Path): boolean => path.at(-1)?.startsWith('k:') ?? false;

function ownedFields(object: JsonObject | undefined): readonly Owned[] {
  return listAt(object, 'metadata', 'managedFields').map((entry) => ({
    manager: stringAt(entry, 'manager'),
    operation: stringAt(entry, 'operation') === 'Apply' ? 'Apply' : 'Update',
    paths: pathsIn(objectAt(entry, 'fieldsV1')),
  }));
}

function pathsIn(fields: JsonObject, path: Path = []): readonly Path[] {
  const steps = Object.keys(fields);
  if (steps.length === 0) return path.length === 0 ? [] : [path];
  return steps.flatMap((step) => (step === '.' ? [path] : pathsIn(objectAt(fields, step), [...path, step])));
}

/** `fieldsV1` of paths: a map for each step, with `.` if a path ends where others continue. */
function fieldsV1(paths: readonly Path[]): JsonObject {
  const steps = [...new Set(paths.map(([step]) => step ?? '.'))];
  return Object.fromEntries(
    steps.map((step) => {
      const below = paths.filter(([first]) => (first ?? '.') === step).map((path) => path.slice(1));
      const inner = below.filter((path) => path.length > 0);
      return [
        step,
        step === '.' || inner.length === 0
          ? {}
          : { ...(inner.length < below.length && { '.': {} }), ...fieldsV1(inner) },
      ];
    }),
  );
}

function managedFields(resource: Resource, owners: readonly Owned[]): ManagedFields {
  return owners
    .filter(({ paths }) => paths.length > 0)
    .map(({ manager, operation, paths }) => ({
      manager,
      operation,
      apiVersion: groupVersion(resource),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1(paths),
    }));
}

/** `metadata.managedFields`. */
export type ManagedFields = readonly JsonObject[];

export interface Application {
  readonly resource: Resource;
  readonly manager: string;
  readonly force: boolean;
  /** The object as it is; undefined if the patch creates it. */
  readonly old: ApiObject | undefined;
  readonly patch: JsonObject;
  /** The old object with the patch merged into it. */
  readonly merged: JsonObject;
}

/**
 * Server-side apply: removes what this manager applied before and now leaves out, unless another owns it.
 * @throws StatusError 409 if a field of another owner would change and the patch is not forced
 */
export function applyOwned({ resource, manager, force, old, patch, merged }: Application): {
  readonly object: JsonObject;
  readonly owners: ManagedFields;
} {
  const applied = leaves(resource, patch);
  const before = ownedFields(old);
  const others = before.filter((owner) => owner.manager !== manager || owner.operation !== 'Apply');
  const wanted = new Set(applied.map(text));
  const changes = (path: Path) =>
    wanted.has(text(path)) && !isItem(path) && !sameJson(valueAt(old, path), valueAt(patch, path));
  const conflicts = others.flatMap(({ paths, ...owner }) => paths.filter(changes).map((path) => ({ owner, path })));
  if (conflicts.length > 0 && !force) throw applyConflict(resource, conflicts);
  const kept = others.map((owner) => ({ ...owner, paths: owner.paths.filter((path) => !changes(path)) }));
  const stillOwned = [...applied, ...kept.flatMap(({ paths }) => paths)];
  const dropped = before
    .filter((owner) => !others.includes(owner))
    .flatMap(({ paths }) => paths)
    .filter((path) => !stillOwned.some((other) => startsWith(other, path)));
  const object = dropped.reduce<JsonObject>((each, path) => (removeAt(each, path) ?? {}) as JsonObject, merged);
  return { object, owners: managedFields(resource, [...kept, { manager, operation: 'Apply', paths: applied }]) };
}

/** The owners after an update, whose manager owns the fields that it took from appliers. */
export function ownersAfterUpdate(
  { resource, manager }: Pick<Application, 'resource' | 'manager'>,
  { old, next }: { readonly old: ApiObject; readonly next: ApiObject },
): ManagedFields {
  const before = ownedFields(old);
  if (before.length === 0) return [];
  const isChanged = (path: Path) => !isItem(path) && !sameJson(valueAt(old, path), valueAt(next, path));
  const taken = before.flatMap(({ paths }) =>
    paths.filter((path) => isChanged(path) && valueAt(next, path) !== undefined),
  );
  const own = before.find((owner) => owner.manager === manager && owner.operation === 'Update');
  const others = before.filter((owner) => owner !== own);
  const paths = [...new Map([...(own?.paths ?? []), ...taken].map((path) => [text(path), path])).values()];
  return managedFields(resource, [
    ...others.map((owner) => ({ ...owner, paths: owner.paths.filter((path) => !isChanged(path)) })),
    { manager, operation: 'Update', paths },
  ]);
}

/** As `fieldpath` prints a path: `.spec.containers[name="main"].image`. */
const printPath = (path: Path): string =>
  path
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`;
      if (step.startsWith('v:')) return `[=${step.slice(2)}]`;
      const keys = JSON.parse(step.slice(2)) as JsonObject;
      return `[${Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`)}]`;
    })
    .join('');

function applyConflict(
  resource: Resource,
  conflicts: readonly { readonly owner: Owner; readonly path: Path }[],
): StatusError {
  const print = ({ manager, operation }: Owner) =>
    `"${manager}"${operation === 'Update' ? ` using ${groupVersion(resource)}` : ''}`;
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${print(owner)}`,
    field: printPath(path),
  }));
  const [only, ...more] = causes;
  const ofOwner = ([message, fields]: readonly [string, readonly { readonly field: string }[]]) =>
    [`${message.replace('conflict', 'conflicts')}:`, ...fields.map(({ field }) => `- ${field}`)].join('\n');
  const lines = [...Map.groupBy(causes, ({ message }) => message)].map(ofOwner).join('\n');
  const summary =
    more.length === 0 ? `1 conflict: ${only?.message}: ${only?.field}` : `${causes.length} conflicts: ${lines}`;
  return new StatusError(409, 'Conflict', `Apply failed with ${summary}`, { causes });
}

import type { Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt } from './api-object.ts';
import type { Cause } from './status.ts';
import { invalidValue, required } from './status.ts';

/** A field that has to be a string with something in it. */
export function requiredString(object: Json | undefined, prefix: string, key: string): readonly Cause[] {
  const value = isJsonObject(object) ? object[key] : undefined;
  const field = prefix === '' ? key : `${prefix}.${key}`;
  if (value === undefined || value === null || value === '') return [required(field)];
  return typeof value === 'string' ? [] : [invalidValue(field, JSON.stringify(value), 'must be a string')];
}

/** `spec`, where there is one, has to be an object. */
export function specIsObject({ spec }: JsonObject): readonly Cause[] {
  if (spec === undefined || spec === null || isJsonObject(spec)) return [];
  return [invalidValue('spec', JSON.stringify(spec), 'must be an object')];
}

/** A list of objects that is not empty; each is checked with its own path. */
export function requiredList(
  object: JsonObject,
  path: readonly [string, ...string[]],
  check: (item: JsonObject, field: string) => readonly Cause[],
): readonly Cause[] {
  const field = path.join('.');
  const list = listAt(object, ...path);
  if (list.length === 0) return [required(field)];
  return list.flatMap((item, index) =>
    isJsonObject(item)
      ? check(item, `${field}[${index}]`)
      : [invalidValue(`${field}[${index}]`, JSON.stringify(item), 'must be an object')],
  );
}

/** Values of a map have to be strings. */
export function stringMap(object: JsonObject, key: string): readonly Cause[] {
  const value = object[key];
  if (value === undefined || value === null) return [];
  if (!isJsonObject(value)) return [invalidValue(key, JSON.stringify(value), 'must be a map of strings')];
  return Object.entries(objectAt(object, key)).flatMap(([name, item]) =>
    typeof item === 'string' ? [] : [invalidValue(`${key}[${name}]`, JSON.stringify(item) ?? '', 'must be a string')],
  );
}

/** JSON as it travels; nothing in the server changes a value in place. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export interface OwnerReference extends JsonObject {
  readonly uid: string;
}

/** The part of ObjectMeta that the server reads; all else passes through. */
export interface Metadata extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  /** Seconds. */
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** A stored object: validated, with its identity. */
export interface ApiObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

/** What a client sent, before it is known to be an `ApiObject`. */
export interface Draft extends JsonObject {
  readonly metadata: JsonObject;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at a path, or an empty one: for reading what may be missing or malformed. */
export function objectAt(value: Json | undefined, ...path: readonly string[]): JsonObject {
  let at = value;
  for (const key of path) at = isJsonObject(at) ? at[key] : undefined;
  return isJsonObject(at) ? at : {};
}

/** The string at a path, or an empty one. */
export function stringAt(value: Json | undefined, ...path: readonly string[]): string {
  const last = path.at(-1) ?? '';
  const at = objectAt(value, ...path.slice(0, -1))[last];
  return typeof at === 'string' || typeof at === 'boolean' || typeof at === 'number' ? String(at) : '';
}

/** The list at a path, or an empty one. */
export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const last = path.at(-1) ?? '';
  const at = objectAt(value, ...path.slice(0, -1))[last];
  return Array.isArray(at) ? at : [];
}

/** Deep equality of JSON; a missing key and `undefined` are the same, and so is the order of keys. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Json, index) => sameJson(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => sameJson(a[key], b[key]));
}

/** A copy without the named keys. */
export function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

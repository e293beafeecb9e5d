/** Accessors for untrusted JSON: values of an unexpected type are undefined or empty. */

export type UncheckedObject = Readonly<Record<string, unknown>>;

export function objectAt(value: unknown, ...path: readonly string[]): UncheckedObject {
  let at: unknown = value;
  for (const key of path) at = isObject(at) ? at[key] : undefined;
  return isObject(at) ? at : {};
}

export function listAt(value: unknown, key: string): readonly UncheckedObject[] {
  const list = objectAt(value)[key];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function textAt(value: UncheckedObject, key: string): string | undefined {
  const text = value[key];
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The entries with string values, for labels and annotations. */
export function texts(value: UncheckedObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isObject(value: unknown): value is UncheckedObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

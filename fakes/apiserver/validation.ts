import type { Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt } from './api-object.ts';
import { type FieldCause, invalidValue, required } from './status.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const maxAnnotationBytes = 256 * 1024;

/** `label`: an RFC 1123 label of up to 63 characters. `subdomain`: an RFC 1123 subdomain of up to 253. `path`: a path segment. */
export type NameRule = 'label' | 'subdomain' | 'path';

const rules = {
  label: {
    pattern: label,
    maxLength: 63,
    message:
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  },
  subdomain: {
    pattern: subdomain,
    maxLength: 253,
    message:
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  },
  path: { pattern: /^(?!\.{1,2}$)[^/%]+$/, maxLength: 253, message: "may not contain '/' or '%', or be '.' or '..'" },
} as const;

export function checkName(field: string, value: string, rule: NameRule): readonly FieldCause[] {
  const { pattern, maxLength, message } = rules[rule];
  if (value === '') return [required(field, 'name or generateName is required')];
  if (value.length > maxLength) return [invalidValue(field, value, `must be no more than ${maxLength} characters`)];
  return pattern.test(value) ? [] : [invalidValue(field, value, message)];
}

function checkKey(field: string, key: string): readonly FieldCause[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const isValid =
    parts.length <= 2 &&
    name.length <= 63 &&
    qualifiedPart.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix)));
  if (isValid) return [];
  return [
    invalidValue(
      field,
      key,
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    ),
  ];
}

function checkLabels(field: string, labels: Json | undefined): readonly FieldCause[] {
  if (labels === undefined || labels === null) return [];
  if (!isJsonObject(labels)) return [invalidValue(field, String(labels), 'must be a map of strings')];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...checkKey(field, key),
    ...(typeof value !== 'string'
      ? [invalidValue(`${field}.${key}`, JSON.stringify(value) ?? '', 'must be a string')]
      : value === '' || (value.length <= 63 && qualifiedPart.test(value))
        ? []
        : [
            invalidValue(
              field,
              value,
              "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, of no more than 63 characters",
            ),
          ]),
  ]);
}

function checkAnnotations(field: string, annotations: Json | undefined): readonly FieldCause[] {
  if (annotations === undefined || annotations === null) return [];
  if (!isJsonObject(annotations)) return [invalidValue(field, String(annotations), 'must be a map of strings')];
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(String(value)), 0);
  return [
    ...entries.flatMap(([key, value]) => [
      ...checkKey(field, key.toLowerCase()),
      ...(typeof value === 'string'
        ? []
        : [invalidValue(`${field}.${key}`, JSON.stringify(value) ?? '', 'must be a string')]),
    ]),
    ...(bytes <= maxAnnotationBytes
      ? []
      : [
          {
            field,
            reason: 'FieldValueTooLong' as const,
            message: `Too long: may not be more than ${maxAnnotationBytes} bytes`,
          },
        ]),
  ];
}

/** Checks labels, annotations and finalizers. */
export function checkMetadata(metadata: JsonObject): readonly FieldCause[] {
  const finalizers = metadata.finalizers;
  return [
    ...checkLabels('metadata.labels', metadata.labels),
    ...checkAnnotations('metadata.annotations', metadata.annotations),
    ...(finalizers === undefined ||
    finalizers === null ||
    (Array.isArray(finalizers) && finalizers.every((finalizer) => typeof finalizer === 'string'))
      ? []
      : [invalidValue('metadata.finalizers', JSON.stringify(finalizers), 'must be a list of strings')]),
  ];
}

/** Requires a non-empty string. */
export function requiredString(object: Json | undefined, prefix: string, key: string): readonly FieldCause[] {
  const value = isJsonObject(object) ? object[key] : undefined;
  const field = prefix === '' ? key : `${prefix}.${key}`;
  if (value === undefined || value === null || value === '') return [required(field)];
  return typeof value === 'string' ? [] : [invalidValue(field, JSON.stringify(value), 'must be a string')];
}

/** Requires `spec` to be an object if it is set. */
export function checkSpec({ spec }: JsonObject): readonly FieldCause[] {
  if (spec === undefined || spec === null || isJsonObject(spec)) return [];
  return [invalidValue('spec', JSON.stringify(spec), 'must be an object')];
}

/** Requires a non-empty list of objects and checks each of them with its own path. */
export function requiredList(
  object: JsonObject,
  path: readonly [string, ...string[]],
  check: (item: JsonObject, field: string) => readonly FieldCause[],
): readonly FieldCause[] {
  const field = path.join('.');
  const list = listAt(object, ...path);
  if (list.length === 0) return [required(field)];
  return list.flatMap((item, index) =>
    isJsonObject(item)
      ? check(item, `${field}[${index}]`)
      : [invalidValue(`${field}[${index}]`, JSON.stringify(item), 'must be an object')],
  );
}

/** Requires the values of a map to be strings. */
export function checkStringMap(object: JsonObject, key: string): readonly FieldCause[] {
  const value = object[key];
  if (value === undefined || value === null) return [];
  if (!isJsonObject(value)) return [invalidValue(key, JSON.stringify(value), 'must be a map of strings')];
  return Object.entries(objectAt(object, key)).flatMap(([name, item]) =>
    typeof item === 'string' ? [] : [invalidValue(`${key}[${name}]`, JSON.stringify(item) ?? '', 'must be a string')],
  );
}

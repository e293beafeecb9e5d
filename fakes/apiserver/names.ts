import type { Json, JsonObject } from './api-object.ts';
import { isJsonObject } from './api-object.ts';
import type { Cause } from './status.ts';
import { invalidValue, required } from './status.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const maximumAnnotationBytes = 256 * 1024;

/** `label`: RFC 1123 label, 63 characters. `subdomain`: RFC 1123 subdomain, 253 characters. */
export type NameRule = 'label' | 'subdomain';

const rules = {
  label: {
    pattern: label,
    longest: 63,
    sentence:
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  },
  subdomain: {
    pattern: subdomain,
    longest: 253,
    sentence:
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  },
} as const;

export function checkName(field: string, value: string, rule: NameRule): readonly Cause[] {
  const { pattern, longest, sentence } = rules[rule];
  if (value === '') return [required(field, 'name or generateName is required')];
  if (value.length > longest) return [invalidValue(field, value, `must be no more than ${longest} characters`)];
  return pattern.test(value) ? [] : [invalidValue(field, value, sentence)];
}

function checkKey(field: string, key: string): readonly Cause[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const good =
    parts.length <= 2 &&
    name.length <= 63 &&
    qualifiedPart.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix)));
  if (good) return [];
  return [
    invalidValue(
      field,
      key,
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    ),
  ];
}

function checkLabels(field: string, labels: Json | undefined): readonly Cause[] {
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

function checkAnnotations(field: string, annotations: Json | undefined): readonly Cause[] {
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
    ...(bytes <= maximumAnnotationBytes
      ? []
      : [
          {
            field,
            reason: 'FieldValueTooLong' as const,
            message: `Too long: may not be more than ${maximumAnnotationBytes} bytes`,
          },
        ]),
  ];
}

/** What is wrong with labels, annotations and finalizers. */
export function checkMetadata(metadata: JsonObject): readonly Cause[] {
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

import type { ApiObject } from './api-object.ts';
import { badRequest } from './status.ts';

export type Selector = (object: ApiObject) => boolean;

const everything: Selector = () => true;
const setBased = /^(!?)([^\s!=()]+)(?:\s+(in|notin)\s+\(([^()]*)\))?$/;
const equality = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s!=]*)$/;

/** Splits at commas outside of parentheses. */
const requirements = (text: string): readonly string[] =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');

function labelRequirement(part: string): Selector {
  const equal = equality.exec(part);
  if (equal) {
    const [, key = '', operator, value = ''] = equal;
    if (operator === '!=') return ({ metadata }) => metadata.labels?.[key] !== value;
    return ({ metadata }) => metadata.labels?.[key] === value;
  }
  const set = setBased.exec(part);
  if (!set) throw badRequest(`unable to parse requirement: ${part}`);
  const [, not, key = '', operator, list = ''] = set;
  const values = list.split(',').map((value) => value.trim());
  switch (operator) {
    case 'in':
      return ({ metadata }) => values.includes(metadata.labels?.[key] ?? '\0');
    case 'notin':
      return ({ metadata }) => !values.includes(metadata.labels?.[key] ?? '\0');
    default:
      return ({ metadata }) => (metadata.labels?.[key] !== undefined) === (not === '');
  }
}

/** Parses a label selector, equality- or set-based: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. */
export function labelSelector(text: string): Selector {
  const parts = requirements(text).map(labelRequirement);
  return parts.length === 0 ? everything : (object) => parts.every((matches) => matches(object));
}

/** Readers for the fields that a field selector of a kind may use. */
export type SelectableFields = Readonly<Record<string, (object: ApiObject) => string>>;

const metadataFields: SelectableFields = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
};

/** Kinds without fields of their own have another message (apimachinery, `DefaultMetaV1FieldSelectorConversion`). */
const unsupported = (key: string, fields: SelectableFields) =>
  Object.keys(fields).length > 0
    ? `field label not supported: ${key}`
    : `"${key}" is not a known field selector: only "metadata.name", "metadata.namespace"`;

/** Parses a field selector such as `spec.nodeName=a,status.phase!=Failed`. An unsupported field is a 400. */
export function fieldSelector(text: string, fields: SelectableFields): Selector {
  const readers = { ...metadataFields, ...fields };
  const parts = requirements(text).map((part): Selector => {
    const [, key = '', operator, value = ''] = equality.exec(part) ?? [];
    if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const read = readers[key];
    if (!read) throw badRequest(unsupported(key, fields));
    return (object) => (read(object) === value) === (operator !== '!=');
  });
  return parts.length === 0 ? everything : (object) => parts.every((matches) => matches(object));
}

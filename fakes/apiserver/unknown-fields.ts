import type { Draft, Json } from './api-object.ts';
import { isJsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import { badRequest } from './status.ts';

/** The part of a generated class of the client that describes its fields. */
interface FieldTypes {
  getAttributeTypeMap(): readonly { readonly baseName: string; readonly type: string }[];
}

const validations = ['Ignore', 'Warn', 'Strict'] as const;

/** A value of the query parameter `fieldValidation`. The server's default is `Warn`. */
type FieldValidation = (typeof validations)[number];

export const isFieldValidation = (value: string): value is FieldValidation =>
  validations.some((validation) => validation === value);

/**
 * Removes fields that the kind does not have, as the API server does. Custom kinds keep them, because their definitions say so.
 * @throws StatusError 400 if there are any and the validation is strict.
 */
export async function dropUnknownFields({ resource, validation, warn }: DecodeOptions, draft: Draft): Promise<Draft> {
  if (resource.custom) return draft;
  // At the first write, because loading the client takes a while.
  const client: Readonly<Record<string, unknown>> = await import('@kubernetes/client-node');
  const unknown: string[] = [];
  const known = prune(draft, modelName(resource), { client, path: '', unknown }) as Draft;
  if (unknown.length === 0) return draft;
  const sentences = unknown.map((field) => `unknown field "${field}"`);
  if (validation === 'Strict') {
    const { version } = resource;
    throw badRequest(
      `${resource.kind} in version "${resource.group === '' ? version : groupVersion(resource)}" cannot be handled as a ${resource.kind}: strict decoding error: ${sentences.join(', ')}`,
    );
  }
  if (validation === 'Warn') for (const sentence of sentences) warn(sentence);
  return known;
}

interface DecodeOptions {
  readonly resource: Resource;
  readonly validation: FieldValidation;
  /** Receives a sentence for each unknown field. */
  readonly warn: (text: string) => void;
}

const modelName = ({ kind, version }: Resource): string =>
  kind === 'Event' ? 'CoreV1Event' : `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`;

const isModel = (value: unknown): value is FieldTypes => typeof value === 'function' && 'getAttributeTypeMap' in value;

interface Pruning {
  /** Everything that the client exports, also its generated classes, by name. */
  readonly client: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly unknown: string[];
}

function prune(value: Json, type: string, pruning: Pruning): Json {
  const [, item] = /^(?:Array|Set)<(.+)>$/.exec(type) ?? [];
  if (item !== undefined && Array.isArray(value))
    return value.map((each: Json, index) => prune(each, item, { ...pruning, path: `${pruning.path}[${index}]` }));
  if (!isJsonObject(value)) return value;
  const [, mapped] = /^\{ \[key: string\]: (.+); \}$/.exec(type) ?? [];
  const exported = pruning.client[type];
  const model = isModel(exported) ? exported : undefined;
  if (mapped === undefined && !model) return value;
  const types = new Map(model?.getAttributeTypeMap().map(({ baseName, type: field }) => [baseName, field]));
  const entries = Object.entries(value).flatMap(([key, field]): [string, Json | undefined][] => {
    const path = pruning.path === '' ? key : `${pruning.path}.${key}`;
    const fieldType = mapped ?? types.get(key);
    if (fieldType === undefined) pruning.unknown.push(path);
    if (fieldType === undefined || field === undefined) return [];
    return [[key, prune(field, fieldType, { ...pruning, path })]];
  });
  return Object.fromEntries(entries);
}

import type { Manifest } from './manifests.ts';

/** A change that makes one of the document's manifests invalid. */
export interface Flaw {
  readonly kind: string;
  /** Path of the field, for example `['spec', 'mounts', '0', 'options', 'fs.oss.endpoint']`. */
  readonly path: readonly string[];
  /** The new value; undefined removes the field. */
  readonly value: unknown;
}

/**
 * Parses a table row: `spec / mounts / 0 / options / fs.oss.endpoint` and a value as JSON or plain text. `(missing)` removes
 * the field, and `(300 characters)` is a text of that length.
 */
export function parseFlaw({ kind = '', field = '', value = '' }: Readonly<Record<string, string>>): Flaw {
  return { kind, path: field.split(' / '), value: value === '(missing)' ? undefined : parseValue(value) };
}

function parseValue(text: string): unknown {
  const [, length] = /^\((\d+) characters\)$/.exec(text) ?? [];
  if (length !== undefined) return 'a'.repeat(Number(length));
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The field's name as a refusal must spell it: `spec.mounts[0].options.fs.oss.endpoint`. */
export function formatFieldPath(path: readonly string[]): string {
  return path
    .map((segment, index) => (/^\d+$/.test(segment) ? `[${segment}]` : `${index > 0 ? '.' : ''}${segment}`))
    .join('');
}

export function formatFlawValue({ value }: Flaw): string {
  return (JSON.stringify(value) ?? '(missing)').slice(0, 80);
}

/** Returns a copy of the manifest with the flaw. */
export function insertFlaw(manifest: Manifest, { path, value }: Flaw): Manifest {
  const copy: Manifest = structuredClone(manifest);
  const last = path.at(-1) ?? '';
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((node, segment) => (isObject(node) ? node[segment] : undefined), copy);
  if (!isObject(parent)) throw new Error(`the document's ${manifest.kind} has no ${formatFieldPath(path)}`);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** Includes arrays. */
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

import type { Manifest } from './manifests.ts';

/** One way in which a manifest of the document is changed for the worse. */
export interface Flaw {
  readonly kind: string;
  /** Where, as segments: `['spec', 'mounts', '0', 'options', 'fs.oss.endpoint']`. */
  readonly path: readonly string[];
  /** Instead of what stands there; undefined takes it away. */
  readonly value: unknown;
}

/**
 * `spec / mounts / 0 / options / fs.oss.endpoint` and a value as JSON or plain text; `(missing)` takes the field away, and
 * `(300 characters)` is so long a text.
 */
export function parseFlaw({ kind = '', field = '', value = '' }: Readonly<Record<string, string>>): Flaw {
  return { kind, path: field.split(' / '), value: value === '(missing)' ? undefined : parsedValue(value) };
}

function parsedValue(text: string): unknown {
  const [, length] = /^\((\d+) characters\)$/.exec(text) ?? [];
  if (length !== undefined) return 'a'.repeat(Number(length));
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The field's name as the refusal has to say it: `spec.mounts[0].options.fs.oss.endpoint`. */
export function nameOfField(path: readonly string[]): string {
  return path
    .map((segment, index) => (/^\d+$/.test(segment) ? `[${segment}]` : `${index > 0 ? '.' : ''}${segment}`))
    .join('');
}

/** The flawed value in a message. */
export function told({ value }: Flaw): string {
  return (JSON.stringify(value) ?? '(missing)').slice(0, 80);
}

/** A copy of the manifest with the flaw in it. */
export function spoil(manifest: Manifest, { path, value }: Flaw): Manifest {
  const copy: Manifest = structuredClone(manifest);
  const last = path.at(-1) ?? '';
  const holder = path.slice(0, -1).reduce<unknown>((at, segment) => (isRecord(at) ? at[segment] : undefined), copy);
  if (!isRecord(holder)) throw new Error(`the document's ${manifest.kind} has nothing at ${nameOfField(path)}`);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

/** Arrays too. */
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

import type { z } from 'zod';

/** One field that is wrong, named as in the manifest, and what to do about it. */
export interface Finding {
  readonly field: string;
  readonly message: string;
}

export type Judged<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

const writePath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (field, part) =>
      typeof part === 'number' ? `${field}[${part}]` : field === '' ? String(part) : `${field}.${String(part)}`,
    '',
  );

/** What a schema found, one finding for each field; `prefix` is where the value stands in its object. */
export function findingsOf(error: z.ZodError, prefix: string): readonly Finding[] {
  const all = error.issues.map(({ path, message }) => ({ field: writePath([prefix, ...path]), message }));
  return all.filter(({ field }, index) => all.findIndex((other) => other.field === field) === index);
}

const longestSentence = 1024;

/** All findings as one sentence, no longer than an event's message may be. */
export function sentence(findings: readonly Finding[]): string {
  const all = findings.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return all.length > longestSentence ? `${all.slice(0, longestSentence - 3)}...` : all;
}

import { z } from 'zod';

/** A field of a manifest that is wrong, by its path, and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

const formatValue = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 80)}...` : json;
};

export const nonEmptyString = z
  .string({
    error: ({ input }) => (input === undefined ? 'is required' : `must be a string, not ${formatValue(input)}`),
  })
  .min(1, 'must not be empty');

export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, {
    error: ({ input }) =>
      input === undefined
        ? `is required, one of ${words.join(', ')}`
        : `must be one of ${words.join(', ')}, not ${formatValue(input)}`,
  });
}

const quantityPattern = /^\+?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+|m|k|[MGTPE]|[KMGTPE]i)?$/;

/** A Kubernetes quantity above zero. */
export const quantity = z
  .union([z.string(), z.number()], { error: 'must be a quantity such as 2Gi' })
  .refine((value) => quantityPattern.test(String(value)) && Number.parseFloat(String(value)) > 0, {
    error: ({ input }) => `must be a quantity such as 2Gi, not ${formatValue(input)}`,
  });

/** A fraction of the cache between 0 and 1, as a string, which the CRD requires. */
export const fraction = z
  .string({ error: ({ input }) => `must be a string such as "0.95", not ${formatValue(input)}` })
  .regex(/^(0?\.\d+|0|1(\.0+)?)$/, {
    error: ({ input }) => `must be between 0 and 1, such as "0.95", not ${formatValue(input)}`,
  });

export const list = <T extends z.ZodType>(item: T) =>
  z.array(item, {
    error: ({ input }) => (input === undefined ? 'is required' : `must be a list, not ${formatValue(input)}`),
  });

/** Options for `z.object`. */
export const objectErrors = {
  error: ({ input }: { readonly input?: unknown }): string =>
    input === undefined || input === null ? 'is required' : `must be an object, not ${formatValue(input)}`,
};

const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (field, part) =>
      typeof part === 'number' ? `${field}[${part}]` : field === '' ? String(part) : `${field}.${String(part)}`,
    '',
  );

/** Turns a schema's issues into one error for each field below `prefix`. */
export function toFieldErrors(error: z.ZodError, prefix: string): readonly FieldError[] {
  const all = error.issues.map(({ path, message }) => ({ field: formatPath([prefix, ...path]), message }));
  return all.filter(({ field }, index) => all.findIndex((other) => other.field === field) === index);
}

const maxMessageLength = 1024;

/** All errors in one line that fits into the message of an event. */
export function formatErrors(errors: readonly FieldError[]): string {
  const all = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return all.length > maxMessageLength ? `${all.slice(0, maxMessageLength - 3)}...` : all;
}

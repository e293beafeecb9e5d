import { z } from 'zod';

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
};

/** A string with something in it. */
export const text = z
  .string({ error: ({ input }) => (input === undefined ? 'is required' : `must be a string, not ${shown(input)}`) })
  .min(1, 'must not be empty');

/** One of a few words, which the message lists. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, {
    error: ({ input }) =>
      input === undefined
        ? `is required, one of ${words.join(', ')}`
        : `must be one of ${words.join(', ')}, not ${shown(input)}`,
  });
}

const quantityPattern = /^\+?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+|m|k|[MGTPE]|[KMGTPE]i)?$/;

/** A Kubernetes quantity above zero. */
export const quantity = z
  .union([z.string(), z.number()], { error: 'must be a quantity such as 2Gi' })
  .refine((value) => quantityPattern.test(String(value)) && Number.parseFloat(String(value)) > 0, {
    error: ({ input }) => `must be a quantity such as 2Gi, not ${shown(input)}`,
  });

/** A share of the cache between 0 and 1, written as a string as the CRD wants it. */
export const share = z
  .string({ error: ({ input }) => `must be a string such as "0.95", not ${shown(input)}` })
  .regex(/^(0?\.\d+|0|1(\.0+)?)$/, {
    error: ({ input }) => `must be between 0 and 1, such as "0.95", not ${shown(input)}`,
  });

export const list = <T extends z.ZodType>(item: T) =>
  z.array(item, {
    error: ({ input }) => (input === undefined ? 'is required' : `must be a list, not ${shown(input)}`),
  });

export const wantsObject = {
  error: ({ input }: { readonly input?: unknown }): string =>
    input === undefined || input === null ? 'is required' : `must be an object, not ${shown(input)}`,
};

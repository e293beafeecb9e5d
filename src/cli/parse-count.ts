import { UsageError } from './usage-error.ts';

/** A whole number from 1 to the most that makes sense, written in decimal. */
export function parseCount(text: string, { name, most }: { readonly name: string; readonly most: number }): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= most) return count;
  throw new UsageError(`bad ${name} ${JSON.stringify(text)}: accepted are whole numbers from 1 to ${most}`);
}

import { UsageError } from './usage-error.ts';

export const largestSeed = 2 ** 32 - 1;

/** A seed of 32 bits, written in decimal. */
export function parseSeed(text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seed <= largestSeed) return seed;
  throw new UsageError(`bad seed ${JSON.stringify(text)}: accepted are whole numbers from 0 to ${largestSeed}`);
}

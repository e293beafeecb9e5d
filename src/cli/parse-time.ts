import { UsageError } from './usage-error.ts';

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Milliseconds of `0`, `250ms`, `5s` or `2m`. */
export function parseTime(text: string, name: string): number {
  const match = /^(\d{1,6}(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (text === '0') return 0;
  if (match) return Number(match[1]) * (milliseconds[match[2] ?? ''] ?? Number.NaN);
  throw new UsageError(`bad ${name} ${JSON.stringify(text)}: accepted are times, as 0, 250ms, 5s or 2m`);
}

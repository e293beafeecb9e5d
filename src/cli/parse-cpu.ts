import { UsageError } from './usage-error.ts';

/** Thousandths of a core of `200m` or `1`, as Kubernetes writes CPU; at least 10. */
export function parseCpu(text: string, name: string): number {
  const match = /^(\d{1,5})m$|^(\d{1,2}(?:\.\d{1,3})?)$/.exec(text);
  const millis = match ? Number(match[1] ?? Number(match[2]) * 1000) : 0;
  if (millis >= 10) return millis;
  throw new UsageError(`bad ${name} ${JSON.stringify(text)}: accepted are 10m and more, as in 200m or 0.5`);
}

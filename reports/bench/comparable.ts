import type { BenchRecord, BenchSeries } from './record.ts';

/** Why two runs must not be compared as they are: one sentence each. Empty where they may be. */
export function differencesOf(before: BenchRecord, after: BenchRecord): readonly string[] {
  const found: string[] = [];
  const differ = (what: string, one: string, other: string) => {
    if (one !== other) found.push(`${what}: ${one} and ${other}`);
  };
  differ('place', before.fidelity.place, after.fidelity.place);
  differ("the kubelet's clock", `scaled by ${before.fidelity.clockScale}`, `scaled by ${after.fidelity.clockScale}`);
  // The agent itself is what is compared.
  for (const { part, is } of before.fidelity.parts.filter(({ part }) => part !== 'node agent'))
    differ(part, is, after.fidelity.parts.find((other) => other.part === part)?.is ?? 'nothing of it');
  const machine = ({ machine: { kernel, cpus, memoryBytes } }: BenchRecord) =>
    `Linux ${kernel} with ${cpus} CPUs and ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  differ('machine', machine(before), machine(after));
  for (const series of before.series) {
    const other = after.series.find(({ id }) => id === series.id);
    if (other) differ(`conditions of ${series.id}`, conditionsOf(series), conditionsOf(other));
  }
  return found;
}

function conditionsOf({ conditions }: BenchSeries): string {
  return Object.entries(conditions)
    .filter(([name]) => name !== 'kernelTier')
    .map(([name, value]) => `${name} ${value}`)
    .toSorted()
    .join(', ');
}

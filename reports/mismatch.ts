import type { Digest } from '../src/timeline/digest.ts';
import type { RunRecord } from '../src/timeline/record.ts';

/** Why a history does not belong to a record, in one sentence; undefined if it does. */
export function findHistoryMismatch(record: RunRecord, digest: Pick<Digest, 'scenarios'>): string | undefined {
  const known = new Set(record.scenarios.map(({ id }) => id));
  const present = [...digest.scenarios];
  if (present.length > 0 && !present.some((id) => known.has(id))) {
    return `history.ndjson is of another run: it mentions ${JSON.stringify(present[0])}, which record.json does not know`;
  }
  const crashed = record.scenarios.filter(({ recoveries }) => recoveries.length > 0);
  const missing = crashed.find(({ id }) => !present.includes(id));
  if (missing === undefined) return undefined;
  const crashes = crashed.flatMap(({ recoveries }) => recoveries).length;
  return present.length === 0
    ? `history.ndjson is empty, but record.json has ${crashes} ${crashes === 1 ? 'crash' : 'crashes'}`
    : `history.ndjson is of another run or incomplete: it lacks ${JSON.stringify(missing.id)}, whose crashes are in record.json`;
}

/** How the machine of a run differs from this one, in words; undefined if it does not. */
export function findMachineMismatch(record: RunRecord, here: RunRecord['machine']): string | undefined {
  const there = record.machine;
  const differs = (['os', 'kernel', 'cpus', 'memoryBytes'] as const).some((part) => there[part] !== here[part]);
  return differs ? `it was made on another machine (${describe(there)}; this one: ${describe(here)})` : undefined;
}

function describe({ os, kernel, cpus, memoryBytes }: RunRecord['machine']): string {
  return `${os}, kernel ${kernel}, ${cpus} CPUs, ${(memoryBytes / 1024 ** 3).toFixed(1)} GiB`;
}

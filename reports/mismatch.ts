import type { Digest } from '../src/timeline/digest.ts';
import type { RunRecord } from '../src/timeline/record.ts';

/** Why a history is not the one of a record, in one sentence; undefined where it is. */
export function findHistoryMismatch(record: RunRecord, digest: Pick<Digest, 'scenarios'>): string | undefined {
  const known = new Set(record.scenarios.map(({ id }) => id));
  const told = [...digest.scenarios];
  if (told.length > 0 && !told.some((id) => known.has(id))) {
    return `history.ndjson is of another run: it tells of ${JSON.stringify(told[0])}, which record.json does not know`;
  }
  const crashed = record.scenarios.filter(({ recoveries }) => recoveries.length > 0);
  const missing = crashed.find(({ id }) => !told.includes(id));
  if (missing === undefined) return undefined;
  const crashes = crashed.flatMap(({ recoveries }) => recoveries).length;
  return told.length === 0
    ? `history.ndjson is empty, and record.json tells of ${crashes} ${crashes === 1 ? 'crash' : 'crashes'}`
    : `history.ndjson is of another run, or not whole: it tells nothing of ${JSON.stringify(missing.id)}, whose crashes record.json has`;
}

/** How the machine that a run was made on differs from this one, in words; undefined where it does not. */
export function findMachineMismatch(record: RunRecord, here: RunRecord['machine']): string | undefined {
  const there = record.machine;
  const differs = (['os', 'kernel', 'cpus', 'memoryBytes'] as const).some((part) => there[part] !== here[part]);
  return differs ? `it was made on another machine (${describe(there)}; this one: ${describe(here)})` : undefined;
}

function describe({ os, kernel, cpus, memoryBytes }: RunRecord['machine']): string {
  return `${os}, kernel ${kernel}, ${cpus} CPUs, ${(memoryBytes / 1024 ** 3).toFixed(1)} GiB`;
}

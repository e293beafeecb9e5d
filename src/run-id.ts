import { join } from 'node:path';

declare const brand: unique symbol;

/** Identifies everything that a run creates outside the process: `20261122-134501-k3f9`, its start in UTC and four random characters. */
export type RunId = string & { readonly [brand]: 'RunId' };

/** Set in the environment of each process of a run. */
export const runIdVariable = 'REKINDLE_RUN_ID';

/** Set to `harness` in the environment of the process that runs the run, and of no other. */
export const runRoleVariable = 'REKINDLE_RUN_ROLE';

const pattern = /^\d{8}-\d{6}-[a-z0-9]{4}$/;
const temporaryPattern = /^rekindle-(\d{8}-\d{6}-[a-z0-9]{4})(?:-.*)?$/;
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A new id. `random` yields numbers in [0, 1). */
export function newRunId(clock: Date, random: () => number): RunId {
  const [date, time] = clock.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  const suffix = Array.from({ length: 4 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
  return `${date}-${time}-${suffix}` as RunId;
}

/** The text as an id, or undefined if it is not one. */
export function parseRunId(text: string): RunId | undefined {
  return pattern.test(text) ? (text as RunId) : undefined;
}

/** Path of a run's temporary directory, or of one of several with a purpose: `/tmp/rekindle-<run id>[-purpose]`. */
export function temporaryDirectory(temporary: string, runId: RunId, purpose?: string): string {
  return join(temporary, `rekindle-${runId}${purpose === undefined ? '' : `-${purpose}`}`);
}

/** The run that a file name in the folder of temporary files belongs to. */
export function runIdOfTemporary(name: string): RunId | undefined {
  const id = temporaryPattern.exec(name)?.[1];
  return id === undefined ? undefined : parseRunId(id);
}

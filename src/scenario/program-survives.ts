import { setTimeout as delay } from 'node:timers/promises';
import type { CheckRecord } from '../timeline/record.ts';

/** How long after the recovery a program may take to end by itself. */
const patienceMs = 10_000;

/** Survived: still running well after the recovery, or ended by itself with status 0. */
export async function survives(
  command: readonly string[],
  exited: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>,
  signal: AbortSignal,
): Promise<CheckRecord> {
  const late = delay(patienceMs, undefined, { signal });
  const end = await Promise.race([exited, late]);
  const name = 'the application survives the recovery';
  const what = command.join(' ');
  if (!end) return { name, claims: ['L1'], verdict: 'pass', says: `"${what}" still ran ${patienceMs / 1000} s later` };
  const how = end.signal ?? `status ${end.exitCode}`;
  return { name, claims: ['L1'], verdict: end.exitCode === 0 ? 'pass' : 'fail', says: `"${what}" ended with ${how}` };
}

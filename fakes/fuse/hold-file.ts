import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmitEvent } from './event-lines.ts';

const pollEveryMs = 5;

/** Resolves once the file is not there (any more): `held` and `released` tell of the wait, where there was one. SIGTERM ends it. */
export async function released(file: string, emit: EmitEvent): Promise<void> {
  if (!existsSync(file)) return;
  const end = (): never => process.exit(143);
  process.on('SIGTERM', end);
  emit('held');
  while (existsSync(file)) await delay(pollEveryMs);
  emit('released');
  process.off('SIGTERM', end);
}

import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { isFuseDescriptor } from '../../recovery/linux/fuse-descriptor.ts';
import type { EmitEvent } from './event-lines.ts';
import type { FuseOperations } from './fuse-native.ts';

const holdPollMs = 5;
const sessionPollMs = 100;
const warmUpRounds = 3;

/** Waits while the file exists, and emits `held` and `released` if it does. SIGTERM ends the process meanwhile. */
export async function waitWhileHeld(file: string, emit: EmitEvent): Promise<void> {
  if (!existsSync(file)) return;
  const exit = (): never => process.exit(143);
  process.on('SIGTERM', exit);
  emit('held');
  while (existsSync(file)) await delay(holdPollMs);
  emit('released');
  process.off('SIGTERM', exit);
}

/**
 * Calls each operation that a recovery uses first, before there is a mount. Otherwise the first reader after a crash would wait until the
 * functions are compiled, which takes as long as answering.
 */
export async function warmUp({ statfs, getattr, readdir, open, read }: FuseOperations): Promise<void> {
  const ignore = (): void => {};
  const buffer = Buffer.alloc(1);
  for (let round = 0; round < warmUpRounds; round++) {
    statfs('/', ignore);
    readdir('/', ignore);
    for (const path of ['/', '/-']) getattr(path, ignore);
    open('/-', 0, ignore);
    read('/-', 1, buffer, buffer.byteLength, 0, ignore);
    await setImmediate();
  }
}

/**
 * Calls back once libfuse has closed its connection because it was aborted or its last mount is gone. fuse-native does not report that,
 * and a daemon must end then. The descriptor is looked up at the first tick only, so that the first answers are not delayed.
 */
export function onSessionEnd(callback: () => void): void {
  let descriptor: string | undefined;
  const timer = setInterval(() => {
    descriptor ??= readdirSync('/proc/self/fd').find(isFuseDevice);
    if (descriptor !== undefined && isFuseDevice(descriptor)) return;
    clearInterval(timer);
    callback();
  }, sessionPollMs).unref();
}

/** By its number: a descriptor that another daemon has opened has a path of that daemon's mount namespace. */
function isFuseDevice(descriptor: string): boolean {
  try {
    return isFuseDescriptor(Number(descriptor));
  } catch {
    return false;
  }
}

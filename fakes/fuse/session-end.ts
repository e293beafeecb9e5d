import { readdirSync, readlinkSync } from 'node:fs';

const everyMs = 100;

/**
 * Calls back when libfuse has closed its connection, because it was aborted or its last mount is gone. fuse-native tells
 * nobody; another daemon would end, so this one must. The descriptor is looked for at the first tick only: called when the
 * filesystem has become ready, this would keep the first answers waiting.
 */
export function onSessionEnd(ended: () => void): void {
  let descriptor: string | undefined;
  const timer = setInterval(() => {
    descriptor ??= readdirSync('/proc/self/fd').find((fd) => pointsTo(fd) === '/dev/fuse');
    if (descriptor !== undefined && pointsTo(descriptor) === '/dev/fuse') return;
    clearInterval(timer);
    ended();
  }, everyMs).unref();
}

function pointsTo(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}

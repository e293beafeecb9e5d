import { readdirSync, readlinkSync } from 'node:fs';

const everyMs = 100;

/**
 * Calls back when libfuse has closed its connection, because it was aborted or its last mount is gone. fuse-native tells
 * nobody; another daemon would end, so this one must.
 */
export function onSessionEnd(ended: () => void): void {
  const descriptor = readdirSync('/proc/self/fd').find((fd) => pointsTo(fd) === '/dev/fuse');
  if (descriptor === undefined) return;
  const timer = setInterval(() => {
    if (pointsTo(descriptor) === '/dev/fuse') return;
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

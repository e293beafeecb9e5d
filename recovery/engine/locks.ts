import type { VolumeLocks } from './ports.ts';

/** Locks for the engine and for CSI publish and unpublish in one process. Nobody waits for a lock. */
export function createVolumeLocks(): VolumeLocks {
  const held = new Set<string>();
  return {
    tryAcquire(handle) {
      if (held.has(handle)) return undefined;
      held.add(handle);
      let released = false;
      return {
        [Symbol.dispose]() {
          // A second disposal must not release the next holder's lock.
          if (released) return;
          released = true;
          held.delete(handle);
        },
      };
    },
  };
}

import type { VolumeLocks } from './ports.ts';

/** Locks by volume handle, shared by the engine and by CSI publish and unpublish in one process. Nothing ever waits. */
export function createVolumeLocks(): VolumeLocks {
  const held = new Set<string>();
  return {
    tryAcquire(handle) {
      if (held.has(handle)) return undefined;
      held.add(handle);
      let released = false;
      return {
        [Symbol.dispose]() {
          // A second disposal must not release the lock of the next holder.
          if (released) return;
          released = true;
          held.delete(handle);
        },
      };
    },
  };
}

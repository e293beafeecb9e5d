import { setPriority } from 'node:os';

/** The priority that systemd gives to services on which everything else waits. */
const elevated = -10;

/**
 * Raises the priority of this thread and its children. The agent sleeps nearly always, and when it wakes, a pod is without its
 * data. Without CAP_SYS_NICE the priority stays normal.
 */
export function takePriority(): void {
  try {
    setPriority(elevated);
  } catch {
    // EACCES: not permitted.
  }
}

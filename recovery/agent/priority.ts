import { setPriority } from 'node:os';

/** As systemd gives to what everything else waits for. */
const eager = -10;

/**
 * Asks for the processor before others get it, for this thread and all that it starts. The agent sleeps nearly always, and
 * when it wakes a pod is without its data. Where it may not be asked for (no CAP_SYS_NICE), the agent runs like any other.
 */
export function takePriority(): void {
  try {
    setPriority(eager);
  } catch {
    // EACCES: not allowed here.
  }
}

import { assess, missingRequirements } from './assess.ts';
import { type GatherOptions, gather } from './gather.ts';

/**
 * Finds the requirements of the sandbox that this machine does not meet, each with its remedy, as `CannotRun` takes them. Empty if
 * a run is possible. Starts only short-lived processes and leaves nothing behind.
 */
export async function requirements(options: GatherOptions): Promise<ReturnType<typeof missingRequirements>> {
  return missingRequirements(assess(await gather(options)));
}

import { assess, missingOf } from './assess.ts';
import { type GatherOptions, gather } from './gather.ts';

/**
 * What stands in the way of a run in the sandbox, one entry for each missing thing with its remedy: what CannotRun takes.
 * Empty where nothing does. Starts short-lived processes only and leaves nothing behind.
 */
export async function requirements(options: GatherOptions): Promise<ReturnType<typeof missingOf>> {
  return missingOf(assess(await gather(options)));
}

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Context } from './context.ts';
import { UsageError, unknown } from './usage-error.ts';

/** Name of a shipped profile, or the absolute path of a file that holds a valid one. */
export async function checkProfile(given: string, { environment, vocabulary }: Context): Promise<string> {
  const shipped = await vocabulary.profiles();
  if (shipped.includes(given) || (await vocabulary.negativeProfiles()).includes(given)) return given;
  const path = resolve(environment.cwd, given);
  const accepted = [...shipped, 'the path of a YAML file'];
  if (!isFile(path)) throw unknown('profile', given, accepted);
  try {
    await vocabulary.checkProfile(path);
  } catch (error) {
    const says = error instanceof Error ? error.message.replaceAll(/\s*\n\s*/g, '; ') : String(error);
    throw new UsageError(`bad profile ${says}`);
  }
  return path;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

import { isKeptOutOfOutput } from '../checks/secret-kept.ts';
import { findInFiles } from '../observers/find-in-files.ts';
import type { CheckRecord } from '../timeline/record.ts';

/** Searches all files of the run for the secret keys of its object stores. */
export function secretIsInNoOutput(resultsDir: string, secrets: readonly string[]): CheckRecord {
  const searches = secrets.map((secret) => findInFiles(resultsDir, secret));
  const found = [...new Set(searches.flatMap((search) => search.found))];
  return isKeptOutOfOutput({ files: searches[0]?.files ?? 0, found });
}

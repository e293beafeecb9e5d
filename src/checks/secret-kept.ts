import type { CheckRecord } from '../timeline/record.ts';
import { concluded, fail, inconclusive, pass } from './finding.ts';

/** Where a run's access key was looked for, and where it was found. */
export interface Search {
  readonly files: number;
  /** Files, and other places by name, that hold the secret. */
  readonly found: readonly string[];
}

/** Nothing that a run wrote holds the object store's secret key. */
export function isKeptOutOfOutput({ files, found }: Search): CheckRecord {
  const title = { name: 'no output of the run holds the secret access key', claims: ['D1'] };
  if (found.length > 0) return concluded(title, fail(`it is in ${found.join(', ')}`));
  return concluded(title, pass(`it is in none of ${files} files`));
}

/** What the program that looks at processes said. */
export interface ProcessSearch {
  readonly secrets: number;
  readonly processes: number;
  readonly found: readonly string[];
}

/** No process has it among its arguments or in its environment; the daemon reads it from the files of the Secret. */
export function isKeptOutOfProcesses({ secrets, processes, found }: ProcessSearch): CheckRecord {
  const title = { name: 'no process has the secret access key in arguments or environment', claims: ['D1'] };
  if (found.length > 0) return concluded(title, fail(`it is in the ${found.join(', the ')}`));
  if (secrets === 0) return concluded(title, inconclusive('no pod of the node has credentials from a Secret'));
  return concluded(title, pass(`none of ${processes} processes has it`));
}

import type { FileSearch } from '../observers/find-in-files.ts';
import { defineCheck, fail, inconclusive, pass } from './check.ts';

/** Nothing that a run wrote holds the object store's secret key. */
export const isKeptOutOfOutput = defineCheck(
  { name: 'no output of the run holds the secret access key', claims: ['D1'] },
  ({ files, found }: FileSearch) =>
    found.length > 0 ? fail(`it is in ${found.join(', ')}`) : pass(`it is in none of ${files} files`),
);

/** The report of the program that searches a node. */
export interface NodeSearch {
  readonly secrets: number;
  readonly processes: number;
  readonly files: number;
  readonly found: readonly string[];
}

/** No process has the secret key among its arguments or in its environment, and no file has it but those of the Secret. */
export const isKeptOutOfNode = defineCheck(
  { name: 'no process and no other file of the node has the secret access key', claims: ['D1'] },
  ({ secrets, processes, files, found }: NodeSearch) => {
    if (found.length > 0) return fail(`it is in the ${found.join(', the ')}`);
    if (secrets === 0) return inconclusive('no pod of the node has credentials from a Secret');
    return pass(`none of ${processes} processes and ${files} files has it`);
  },
);

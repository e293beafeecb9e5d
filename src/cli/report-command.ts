import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseRun, UnreadableRun } from '../../reports/parse.ts';
import type { Run } from '../../reports/record.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { reportHelp } from './help.ts';
import { UsageError } from './usage-error.ts';
import { writableFolder } from './writable-folder.ts';
import { writeReports } from './write-reports.ts';

/** `rekindle report`. */
export function addReport(program: Command, { environment }: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('report')
    .description('make the reports of a run again')
    .argument('<results>', 'folder of a run')
    .option('--out <folder>', 'folder for the reports (default: that of the run)')
    .addHelpText('after', reportHelp)
    .action((results: string, { out }: { readonly out?: string }) => {
      const run = readRun(results, environment.cwd);
      const folder = writableFolder(out ?? results, environment.cwd);
      for (const path of writeReports(folder, run)) environment.stdout.write(`${path}\n`);
      ends(exitStatus.conformant);
    });
}

/** The stored run in a folder of results. */
function readRun(results: string, cwd: string): Run {
  const folder = resolve(cwd, results);
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new UsageError(
        `no ${name} in ${JSON.stringify(results)} (${why}): name the folder of a run, as in results/latest`,
      );
    }
  };
  try {
    return parseRun(read('record.json'), read('history.ndjson'));
  } catch (error) {
    if (!(error instanceof UnreadableRun)) throw error;
    throw new UsageError(`cannot read the run in ${JSON.stringify(results)}: ${error.problems.join('; ')}`);
  }
}

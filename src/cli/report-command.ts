import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { findHistoryMismatch, findMachineMismatch } from '../../reports/mismatch.ts';
import { describeMachine } from '../run/machine.ts';
import { writeDigested } from '../run/write-reports.ts';
import type { Digest } from '../timeline/digest.ts';
import { digestHistory } from '../timeline/history.ts';
import { parseRecord, UnreadableRun } from '../timeline/parse.ts';
import type { RunRecord } from '../timeline/record.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { reportHelp } from './help.ts';
import { UsageError, writableFolder } from './options.ts';

/** `rekindle report`. */
export function addReport(program: Command, { environment }: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('report')
    .description('regenerate the reports of a run')
    .argument('<results>', 'folder of a run')
    .option('--out <folder>', 'folder for the reports (default: the folder of the run)')
    .addHelpText('after', reportHelp)
    .option('--anyway', 'also accept a run from another machine')
    .action(async (results: string, { out, anyway }: ReportFlags) => {
      const { record, digest } = readRun(results, environment.cwd);
      const elsewhere = anyway ? undefined : findMachineMismatch(record, describeMachine());
      if (elsewhere) {
        throw new UsageError(
          `no reports of the run in ${JSON.stringify(results)}: ${elsewhere}, where they are made at the end of the run; --anyway makes them here`,
        );
      }
      const folder = writableFolder(out ?? results, environment.cwd);
      for (const path of await writeDigested({ folder, record, digest, cwd: environment.cwd }))
        environment.stdout.write(`${path}\n`);
      ends(exitStatus.conformant);
    });
}

interface ReportFlags {
  readonly out?: string;
  readonly anyway?: true;
}

/** The stored run in a folder of results. */
function readRun(results: string, cwd: string): { readonly record: RunRecord; readonly digest: Digest } {
  const folder = resolve(cwd, results);
  const from = <T>(name: string, read: (path: string) => T): T => {
    try {
      return read(join(folder, name));
    } catch (error) {
      if (error instanceof UnreadableRun) {
        throw new UsageError(`cannot read the run in ${JSON.stringify(results)}: ${error.problems.join('; ')}`);
      }
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new UsageError(
        `no ${name} in ${JSON.stringify(results)} (${reason}): name the folder of a run, as in results/latest`,
      );
    }
  };
  const record = from('record.json', (path) => parseRecord(readFileSync(path, 'utf8')));
  const digest = from('history.ndjson', digestHistory);
  const strange = findHistoryMismatch(record, digest);
  if (strange) throw new UsageError(`cannot read the run in ${JSON.stringify(results)}: ${strange}`);
  return { record, digest };
}

import type { Command } from 'commander';
import { clean } from '../clean/clean.ts';
import { parseRunId, type RunId } from '../run-id.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { cleanHelp } from './help.ts';
import { surroundingsOf } from './surroundings.ts';
import { UsageError } from './usage-error.ts';

interface CleanFlags {
  readonly run?: string;
  readonly dryRun: boolean;
}

/** `rekindle clean`. */
export function addClean(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('clean')
    .description('remove what killed runs left')
    .option('--run <id>', 'this run only, even if it is going on')
    .option('--dry-run', 'say what would be removed, and remove nothing', false)
    .addHelpText('after', cleanHelp)
    .action(async ({ run, dryRun }: CleanFlags) => {
      const chosen = run === undefined ? {} : { run: knownRunId(run) };
      const { lines, leftovers } = await clean({ ...chosen, dryRun, surroundings: surroundingsOf(context) });
      context.environment.stdout.write(lines.map((line) => `${line}\n`).join(''));
      ends(leftovers.length > 0 ? exitStatus.leftovers : exitStatus.conformant);
    });
}

function knownRunId(text: string): RunId {
  const runId = parseRunId(text);
  if (runId === undefined)
    throw new UsageError(`bad run id ${JSON.stringify(text)}: it looks like 20261122-134501-k3f9`);
  return runId;
}

import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { simulateHelp } from './help.ts';
import { largestSeed, parseSeed, WrongArgument, writableFolder } from './options.ts';

interface SimulateFlags {
  readonly fleet?: string;
  readonly check?: readonly string[];
  readonly seed?: number;
  readonly out: string;
}

/** `rekindle simulate`. */
export function addSimulate(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('simulate')
    .description('forecast for a fleet of nodes what each means of recovery is worth, and what it costs')
    .option('--fleet <file>', 'a fleet as YAML, or the name of a shipped one')
    .option('--check <results...>', 'predict runs of bench and conform, and print predicted and measured side by side')
    .option('--seed <number>', `random seed, from 0 to ${largestSeed} (default: a new one, printed)`, parseSeed)
    .option('--out <folder>', 'folder for results', 'results')
    .addHelpText('after', simulateHelp)
    .action(async (flags: SimulateFlags) => ends(await forecast(flags, context)));
}

async function forecast({ check, fleet, out, seed: given }: SimulateFlags, context: Context): Promise<ExitStatus> {
  const { environment, random, runId } = context;
  const seed = given ?? Math.floor(random() * (largestSeed + 1));
  if ((fleet === undefined) === (check === undefined))
    throw new WrongArgument('one of --fleet and --check is needed: a fleet to forecast, or runs to predict');
  // Loaded on demand, because other commands do not need the schemas of a benchmark.
  try {
    if (check !== undefined) {
      const { runCheck } = await import('../simulate/fleet/run-check.ts');
      runCheck({ results: check, seed, environment });
      return exitStatus.conformant;
    }
    const { runFleet } = await import('../simulate/fleet/run-fleet.ts');
    const record = await runFleet({
      ...{ file: fleet ?? '', seed, runId, environment },
      out: writableFolder(out, environment.cwd),
    });
    return record === undefined ? exitStatus.interrupted : exitStatus.conformant;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'BAD_FILE') throw error;
    const what = check === undefined ? 'fleet' : 'results';
    throw new WrongArgument(`bad ${what} ${(error as Error).message.replaceAll(/\s*\n\s*/g, '; ')}`);
  }
}

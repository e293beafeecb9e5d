import type { Command } from 'commander';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { simulateHelp } from './help.ts';
import { largestSeed, parseSeed, WrongArgument, writableFolder } from './options.ts';

interface SimulateFlags {
  readonly fleet?: string;
  readonly seed?: number;
  readonly out: string;
}

/** `rekindle simulate`. */
export function addSimulate(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('simulate')
    .description('forecast for a fleet of nodes what each means of recovery is worth, and what it costs')
    .option('--fleet <file>', 'a fleet as YAML, or the name of a shipped one')
    .option('--seed <number>', `random seed, from 0 to ${largestSeed} (default: a new one, printed)`, parseSeed)
    .option('--out <folder>', 'folder for results', 'results')
    .addHelpText('after', simulateHelp)
    .action(async (flags: SimulateFlags) => ends(await forecast(flags, context)));
}

async function forecast({ fleet, out, seed }: SimulateFlags, context: Context): Promise<ExitStatus> {
  const { environment, random, runId } = context;
  if (fleet === undefined) throw new WrongArgument('--fleet is missing: name a file, or a shipped fleet');
  const { runFleet } = await import('../simulate/fleet/run-fleet.ts');
  try {
    const record = await runFleet({
      ...{ file: fleet, runId, environment },
      seed: seed ?? Math.floor(random() * (largestSeed + 1)),
      out: writableFolder(out, environment.cwd),
    });
    return record === undefined ? exitStatus.interrupted : exitStatus.conformant;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'BAD_FILE') throw error;
    throw new WrongArgument(`bad fleet ${(error as Error).message.replaceAll(/\s*\n\s*/g, '; ')}`);
  }
}

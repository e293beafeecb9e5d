import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { simulateHelp } from './help.ts';
import { largestSeed, parseTime, WrongArgument, wholeNumber, writableFolder } from './options.ts';
import { type HistoryFlags, parseHistorySeed, simulateHistories } from './simulate-histories.ts';

interface SimulateFlags extends HistoryFlags {
  readonly fleet?: string;
  readonly check?: readonly string[];
  readonly out: string;
}

/** `rekindle simulate`. */
export function addSimulate(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('simulate')
    .description('run random histories on a modelled node, compare its kernel with this one, or forecast for a fleet')
    .option('--fleet <file>', 'a fleet as YAML, or the name of a shipped one')
    .option('--check <results...>', 'predict runs of bench and conform, and print predicted and measured side by side')
    .option(
      '--against-kernel',
      'run histories of mount calls on the modelled kernel and on this one, and compare them',
      false,
    )
    .option('--seeds <number>', 'number of histories (default: 1000, or 1 with --seed)', wholeNumber(1, 10_000_000))
    .option('--until <duration>', 'run histories for this long, as 90s or 10m, instead of a number of them', parseTime)
    .option('--steps <number>', 'steps of each history', wholeNumber(1, 10_000), 60)
    .addOption(
      new Option(
        '--kernel-tier <tier>',
        'use only what this kernel release offers (default: the best that the kernel has)',
      ).choices(['6.5', '5.12', '5.10']),
    )
    .addOption(
      new Option('--jobs <number>', 'processes that run histories')
        .argParser(wholeNumber(1, 64))
        .default(availableParallelism(), 'one for each processor'),
    )
    .option('--json', 'print the result of histories as JSON', false)
    .option('--junit <file>', 'also write the result of histories as JUnit XML')
    .option(
      '--seed <number>',
      `random seed, from 0 to ${largestSeed}, or as a failed history printed it (default: a new one, printed)`,
      parseHistorySeed,
    )
    .option('--out <folder>', 'folder for results', 'results')
    .addHelpText('after', simulateHelp)
    .action(async (flags: SimulateFlags) => {
      const isForecast = flags.fleet !== undefined || flags.check !== undefined;
      if (isForecast && flags.againstKernel)
        throw new WrongArgument('--against-kernel runs histories: omit --fleet and --check');
      ends(await (isForecast ? forecast(flags, context) : simulateHistories(flags, context)));
    });
}

async function forecast({ check, fleet, out, seed: given }: SimulateFlags, context: Context): Promise<ExitStatus> {
  const { environment, random, runId } = context;
  const seed = given ?? Math.floor(random() * (largestSeed + 1));
  if ((fleet === undefined) === (check === undefined))
    throw new WrongArgument('one of --fleet and --check is needed: a fleet to forecast, or runs to predict');
  try {
    // Loaded on demand, because other commands do not need the schemas of a benchmark.
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

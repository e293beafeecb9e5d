import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { benchHelp } from './help.ts';
import { parseCount } from './parse-count.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';
import { sharedOptions } from './shared-options.ts';

interface BenchFlags extends RunFlags {
  readonly crashes: string;
  readonly rate: string;
}

/** `rekindle bench`. */
export function addBench(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('bench')
    .description('crash again and again, and print how long each phase of a recovery takes')
    .option('--crashes <number>', 'how often', '50')
    .option('--rate <number>', 'probe operations a second: the resolution', '1000');
  for (const option of sharedOptions()) command.addOption(option);
  command.addHelpText('after', benchHelp).action(async (flags: BenchFlags) => {
    const crashes = parseCount(flags.crashes, { name: '--crashes', most: 100_000 });
    const rate = parseCount(flags.rate, { name: '--rate', most: 10_000 });
    const options = { ...runOptions(flags, context), crashes, rate };
    ends(await runVerb(context, ({ bench }) => bench(options)));
  });
}

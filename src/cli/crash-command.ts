import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { crashHelp } from './help.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';
import { sharedOptions } from './shared-options.ts';
import { unknown } from './usage-error.ts';

interface CrashFlags extends RunFlags {
  readonly fault: string;
  readonly recovery: boolean;
  readonly hold: boolean;
}

/** `rekindle crash`. */
export function addCrash(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('crash')
    .description('reproduce a FUSE crash and tell what happens')
    .argument('[command...]', 'after --: program to run in the pod while the daemon crashes')
    .addOption(new Option('--fault <name>', 'how the daemon dies').default('kill-1'))
    .option('--no-recovery', 'leave the gate off, and show what stays broken')
    .option('--hold', 'keep it up until Ctrl-C, and print how to step inside the pod', false);
  for (const option of sharedOptions()) command.addOption(option);
  command.addHelpText('after', crashHelp).action(async (program: string[], flags: CrashFlags) => {
    const { fault, recovery, hold } = flags;
    const faults = await context.vocabulary.faults();
    if (!faults.includes(fault)) throw unknown('fault', fault, faults);
    const options = { ...runOptions(flags, context), fault, recovery, hold, command: program };
    ends(await runVerb(context, ({ crash }) => crash(options)));
  });
}

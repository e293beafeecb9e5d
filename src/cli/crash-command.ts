import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { crashHelp } from './help.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';
import { sharedOptions } from './shared-options.ts';
import { UsageError, unknown } from './usage-error.ts';

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
    .addOption(new Option('--fault <name>', 'how the daemon dies; what else happens at once, with +').default('kill-1'))
    .option('--no-recovery', 'leave the gate off, and show what stays broken')
    .option('--hold', 'keep it up until Ctrl-C, and print how to step inside the pod', false);
  for (const option of sharedOptions()) command.addOption(option);
  command.addHelpText('after', crashHelp).action(async (program: string[], flags: CrashFlags) => {
    const { fault, recovery, hold } = flags;
    await checkFault(fault, context);
    const options = { ...runOptions(flags, context), fault, recovery, hold, command: program };
    ends(await runVerb(context, ({ crash }) => crash(options)));
  });
}

/** `sigkill`, or a crash and its company: `agent-kill+sigkill`. @throws UsageError */
async function checkFault(given: string, { vocabulary }: Context): Promise<void> {
  const faults = await vocabulary.faults();
  const companions = await vocabulary.companions();
  const parts = given.split('+');
  const stranger = parts.find((part) => !faults.includes(part) && !(parts.length > 1 && companions.includes(part)));
  if (stranger !== undefined && companions.includes(stranger))
    throw new UsageError(`"${stranger}" by itself crashes no daemon: join it to one of ${faults.join(', ')} with +`);
  if (stranger !== undefined) throw unknown('fault', stranger, parts.length > 1 ? [...faults, ...companions] : faults);
  if (!parts.some((part) => faults.includes(part)))
    throw new UsageError(`"${given}" crashes no daemon: join it to one of ${faults.join(', ')} with +`);
}

import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { crashHelp } from './help.ts';
import { sharedOptions, unknown, WrongArgument } from './options.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';

interface CrashFlags extends RunFlags {
  readonly fault: string;
  readonly recovery: boolean;
  readonly hold: boolean;
}

/** `rekindle crash`. */
export function addCrash(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('crash')
    .description('reproduce a FUSE crash and show what happens')
    .argument('[command...]', 'after --: program to run in the pod while the daemon crashes')
    .addOption(
      new Option('--fault <name>', 'how the daemon dies; + adds what happens at the same time').default('kill-1'),
    )
    .option('--no-recovery', 'leave the gate off and show what stays broken')
    .option('--hold', 'keep everything running until Ctrl-C, and print how to enter the pod', false);
  for (const option of sharedOptions()) command.addOption(option);
  command.addHelpText('after', crashHelp).action(async (program: string[], flags: CrashFlags) => {
    const { fault, recovery, hold } = flags;
    await checkFault(fault);
    const options = { ...runOptions(flags, context), fault, recovery, hold, command: program };
    ends(await runVerb(context, ({ crash }) => crash(options)));
  });
}

/** Checks `sigkill`, or a crash combined with other faults: `agent-kill+sigkill`. @throws WrongArgument */
async function checkFault(given: string): Promise<void> {
  // Loaded on demand, because the client library's models take a second to load.
  const { crashFaults: faults, companions } = await import('../faults/catalogue.ts');
  const parts = given.split('+');
  const unknownPart = parts.find((part) => !faults.includes(part) && !(parts.length > 1 && companions.includes(part)));
  if (unknownPart !== undefined && companions.includes(unknownPart))
    throw new WrongArgument(
      `"${unknownPart}" alone crashes no daemon: combine it with one of ${faults.join(', ')} with +`,
    );
  if (unknownPart !== undefined)
    throw unknown('fault', unknownPart, parts.length > 1 ? [...faults, ...companions] : faults);
  if (!parts.some((part) => faults.includes(part)))
    throw new WrongArgument(`"${given}" crashes no daemon: combine it with one of ${faults.join(', ')} with +`);
}

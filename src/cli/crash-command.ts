import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import type { ExitStatus } from './exit-status.ts';
import { crashHelp } from './help.ts';
import { parseTime, sharedOptions, unknown, WrongArgument } from './options.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';

/** How long a program is watched after the recovery. */
const defaultWatchMs = 10_000;

interface CrashFlags extends RunFlags {
  readonly fault: string;
  readonly recovery: boolean;
  readonly hold: boolean;
  readonly expect?: string;
  readonly for?: number;
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
    .option('--expect <text>', 'COMMAND gets its data back if it prints this after the pod reads again')
    .option('--for <time>', 'how long to watch COMMAND after the recovery (default: 10s)', parseTime)
    .option('--hold', 'keep everything running afterwards, and take commands: crash, shell, quit', false);
  for (const option of sharedOptions()) command.addOption(option);
  command.addHelpText('after', crashHelp).action(async (program: string[], flags: CrashFlags) => {
    const { fault, recovery, hold, expect, for: watchMs } = flags;
    await checkFault(fault);
    if (program.length === 0 && (expect !== undefined || watchMs !== undefined))
      throw new WrongArgument(
        `${expect === undefined ? '--for' : '--expect'} is about a COMMAND: give one after --, as in: rekindle crash --expect ok -- sh -c 'while :; do cat /data/myfile.txt && echo ok; sleep 1; done'`,
      );
    if (!recovery && expect !== undefined)
      throw new WrongArgument('--expect cannot be met with --no-recovery: omit one of them');
    const options = {
      ...runOptions(flags, context),
      fault,
      recovery,
      hold,
      command: program,
      ...(expect !== undefined && { expect }),
      watchMs: watchMs ?? defaultWatchMs,
    };
    const printed = flags.json && 'record.json';
    ends(await runVerb(context, ({ crash }) => crash(options), { printed }));
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

import { Command, CommanderError, Help, type Option } from 'commander';
import { addBench } from './bench-command.ts';
import { addClaims, addConditions, addFaults } from './catalogue-commands.ts';
import { addClean } from './clean-command.ts';
import { addCompare } from './compare-command.ts';
import { addConform } from './conform-command.ts';
import type { Context } from './context.ts';
import { addCrash } from './crash-command.ts';
import { addDeploy } from './deploy-command.ts';
import { addDoctor } from './doctor-command.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { overview } from './help.ts';
import { WrongArgument } from './options.ts';
import { printFailure } from './print-failure.ts';
import { addProfile } from './profile-command.ts';
import { addJudge, addReport } from './report-command.ts';
import { addSimulate } from './simulate-command.ts';
import { addStandby } from './standby-command.ts';
import { addExplain, addStatus } from './status-command.ts';

/** Runs the command line (without interpreter and script) and returns the exit status. Never rejects. */
export async function rekindle(argv: readonly string[], context: Context): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.conformant;
  const program = createProgram(context, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.conformant;
    return printFailure(
      error instanceof CommanderError ? asUsageError(error, program, argv) : error,
      context.environment,
    );
  }
}

/** Creates all commands; the one that runs passes its exit status to `ends`. */
export function createProgram(context: Context, ends: (status: ExitStatus) => void): Command {
  const program = new Command('rekindle')
    .description(
      'Breaks FUSE mounts under pods, watches from inside until the data is back, and judges how it came back.',
    )
    .version(context.version)
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', overview);
  for (const add of [
    addConform,
    addCrash,
    addBench,
    addCompare,
    addSimulate,
    addDeploy,
    addStatus,
    addExplain,
    addStandby,
    addDoctor,
    addFaults,
    addConditions,
    addClaims,
    addClean,
    addProfile,
    addReport,
    addJudge,
  ])
    add(program, context, ends);
  prepare(program, context);
  return program;
}

/** Does not say that a flag is off, or a list empty, if it is not given. */
function optionDescription(option: Option): string {
  const isNothing =
    option.defaultValue === false || (Array.isArray(option.defaultValue) && !option.defaultValue.length);
  const shown = isNothing ? Object.assign(Object.create(option), { defaultValue: undefined }) : option;
  return Help.prototype.optionDescription(shown);
}

/** Configures the output of a command and its subcommands. */
function prepare(command: Command, context: Context): void {
  const { environment } = context;
  command.exitOverride();
  command.configureHelp({ optionDescription });
  command.configureOutput({
    writeOut: (text) => void environment.stdout.write(text),
    // Failures are printed in one place, by printFailure.
    writeErr: () => undefined,
    getOutHelpWidth: () => environment.stdout.columns ?? 100,
    getOutHasColors: () => false,
  });
  for (const subcommand of command.commands) prepare(subcommand, context);
}

/** Commander's message, completed with the accepted names. */
function asUsageError({ code, message }: CommanderError, program: Command, argv: readonly string[]): WrongArgument {
  const command = findCommand(program, argv);
  const sentence = message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  switch (code) {
    case 'commander.unknownOption':
      return new WrongArgument(`${sentence}: accepted are ${optionNames(command)}`);
    case 'commander.unknownCommand':
    case 'commander.help':
      return new WrongArgument(
        `${code === 'commander.help' ? 'a command is missing' : sentence}: accepted are ${names(command)}`,
      );
    default:
      return new WrongArgument(sentence);
  }
}

/** Returns the innermost command that the arguments name. */
function findCommand(program: Command, argv: readonly string[]): Command {
  const words = argv.filter((argument) => !argument.startsWith('-'));
  return words.reduce((command, word) => command.commands.find((one) => one.name() === word) ?? command, program);
}

function optionNames(command: Command): string {
  return [...command.options.map(({ long, short }) => long ?? short), '--help'].join(', ');
}

function names(command: Command): string {
  return command.commands.map((one) => one.name()).join(', ');
}

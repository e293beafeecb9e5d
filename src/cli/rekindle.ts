import { Command, CommanderError } from 'commander';
import { addBench } from './bench-command.ts';
import { addClaims } from './claims-command.ts';
import { addClean } from './clean-command.ts';
import { addConform } from './conform-command.ts';
import type { Context } from './context.ts';
import { addCrash } from './crash-command.ts';
import { addDeploy } from './deploy-command.ts';
import { addDoctor } from './doctor-command.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { addFaults } from './faults-command.ts';
import { overview } from './help.ts';
import { addReport } from './report-command.ts';
import { tellFailure } from './tell-failure.ts';
import { UsageError } from './usage-error.ts';

/** Runs the command line (without interpreter and script) and says what to exit with. Never rejects. */
export async function rekindle(argv: readonly string[], context: Context): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.conformant;
  const program = createProgram(context);
  const ends = (ended: ExitStatus) => {
    status = ended;
  };
  for (const add of [addConform, addCrash, addBench, addDeploy, addDoctor, addFaults, addClaims, addClean, addReport])
    add(program, context, ends);
  for (const command of [program, ...program.commands]) prepare(command, context);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.conformant;
    return tellFailure(
      error instanceof CommanderError ? asUsageError(error, program, argv) : error,
      context.environment,
    );
  }
}

function createProgram({ version }: Context): Command {
  return new Command('rekindle')
    .description(
      'Breaks FUSE mounts under pods, watches from inside until the data is back, and judges how it came back.',
    )
    .version(version)
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', overview);
}

function prepare(command: Command, { environment }: Context): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => void environment.stdout.write(text),
    // Failures are told in one place, below.
    writeErr: () => undefined,
    getOutHelpWidth: () => environment.stdout.columns ?? 100,
    getOutHasColors: () => false,
  });
}

/** Commander's own sentence, completed by the accepted names. */
function asUsageError({ code, message }: CommanderError, program: Command, argv: readonly string[]): UsageError {
  const command = program.commands.find((one) => argv.find((argument) => !argument.startsWith('-')) === one.name());
  const says = message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  switch (code) {
    case 'commander.unknownOption':
      return new UsageError(`${says}: accepted are ${optionNames(command ?? program)}`);
    case 'commander.unknownCommand':
    case 'commander.help':
      return new UsageError(
        `${code === 'commander.help' ? 'a command is missing' : says}: accepted are ${names(program)}`,
      );
    default:
      return new UsageError(says);
  }
}

function optionNames(command: Command): string {
  return [...command.options.map(({ long, short }) => long ?? short), '--help'].join(', ');
}

function names(program: Command): string {
  return program.commands.map((command) => command.name()).join(', ');
}

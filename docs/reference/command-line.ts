import type { Command } from 'commander';
import { createFakeContext } from '../../src/cli/fake-context.ts';
import { createProgram, rekindle } from '../../src/cli/rekindle.ts';

/** Renders the help of every command as the command prints it. */
export async function commandLineAsMarkdown(): Promise<string> {
  const { context } = createFakeContext({ cwd: '/' });
  const commands = listCommands(
    createProgram(context, () => {}),
    [],
  );
  const parts = await Promise.all(commands.map(async (words) => renderCommand(words, await readHelp(words))));
  return parts.join('\n\n');
}

/** Lists a command and its subcommands, each as the words that invoke it. */
function listCommands(command: Command, words: readonly string[]): readonly (readonly string[])[] {
  const subcommands = command.commands.filter((subcommand) => subcommand.name() !== 'help');
  return [words, ...subcommands.flatMap((subcommand) => listCommands(subcommand, [...words, subcommand.name()]))];
}

async function readHelp(words: readonly string[]): Promise<string> {
  const { context, stdout } = createFakeContext({ cwd: '/' });
  await rekindle([...words, '--help'], context);
  return stdout();
}

function renderCommand(words: readonly string[], help: string): string {
  return `## ${['rekindle', ...words].join(' ')}\n\n\`\`\`text\n${help.trim()}\n\`\`\``;
}

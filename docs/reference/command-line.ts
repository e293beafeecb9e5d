import type { Command } from 'commander';
import { createFakeContext } from '../../src/cli/fake-context.ts';
import { createProgram, rekindle } from '../../src/cli/rekindle.ts';

/** The help of each command, as the command prints it. */
export async function commandLineAsMarkdown(): Promise<string> {
  const { context } = createFakeContext({ cwd: '/' });
  const commands = commandsBelow(
    createProgram(context, () => {}),
    [],
  );
  const parts = await Promise.all(commands.map(async (words) => part(words, await helpOf(words))));
  return parts.join('\n\n');
}

/** The words of each command: of itself first, then of those below it. */
function commandsBelow(command: Command, words: readonly string[]): readonly (readonly string[])[] {
  const below = command.commands.filter((one) => one.name() !== 'help');
  return [words, ...below.flatMap((one) => commandsBelow(one, [...words, one.name()]))];
}

async function helpOf(words: readonly string[]): Promise<string> {
  const { context, stdout } = createFakeContext({ cwd: '/' });
  await rekindle([...words, '--help'], context);
  return stdout();
}

function part(words: readonly string[], help: string): string {
  return `## ${['rekindle', ...words].join(' ')}\n\n\`\`\`text\n${help.trim()}\n\`\`\``;
}

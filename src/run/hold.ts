import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import type { Environment } from '../environment.ts';

interface HoldOptions {
  readonly environment: Environment;
  /** The shell command that enters the pod. */
  readonly stepInside: string;
  /** Further commands for another terminal. */
  readonly lookCommands: readonly string[];
  readonly heading: (line: string) => void;
  readonly print: (line: string) => void;
  /** Crashes the daemon once more; resolves with what came of it, a line each. */
  readonly crash: () => Promise<readonly string[]>;
}

/** Keeps a finished crash running, and carries out what the user types, until `quit` or Ctrl-C. */
export async function hold({
  environment,
  stepInside,
  lookCommands,
  heading,
  print,
  crash,
}: HoldOptions): Promise<void> {
  const { stdin, signal, stderr } = environment;
  const help = () => print('crash: crash the daemon again · shell: look around in the pod · quit, or Ctrl-C: end');
  heading('Held. Type a command, or step inside the pod in another terminal, and see what the agent knows:');
  for (const command of [stepInside, ...lookCommands]) print(`  ${command}`);
  help();
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    async crash() {
      for (const line of await crash()) print(`  ${line}`);
    },
    async shell() {
      await execa(stepInside, { shell: true, stdio: 'inherit', reject: false });
    },
  };
  const lines = createInterface({ input: stdin ?? Readable.from([]), signal });
  for await (const line of lines) {
    const command = line.trim();
    if (command === 'quit') return;
    const action = actions[command];
    if (action === undefined) {
      help();
      continue;
    }
    // A shell reads the terminal itself.
    lines.pause();
    await action().catch((error: unknown) => {
      if (!signal.aborted) stderr.write(`rekindle: ${error instanceof Error ? error.message : error}\n`);
    });
    lines.resume();
  }
  // The end of the input is no wish to quit.
  if (!signal.aborted) await once(signal, 'abort');
}

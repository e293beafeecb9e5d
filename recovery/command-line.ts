/** What the command line of a program asks for. The message is one sentence. */
export type CommandLine<Options> =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'error'; readonly message: string };

/** The values of `--name=VALUE` words, of which the last of a name counts, and the first word that is none of them. */
export function readFlags<Name extends string>(
  argv: readonly string[],
  names: readonly Name[],
): { readonly given: ReadonlyMap<Name, string>; readonly unknown: string | undefined } {
  const given = new Map<Name, string>();
  let unknown: string | undefined;
  for (const word of argv) {
    const [, name, value = ''] = /^--([a-z-]+)=(.*)$/s.exec(word) ?? [];
    const known = names.find((each) => each === name);
    if (known === undefined) unknown ??= word;
    else given.set(known, value);
  }
  return { given, unknown };
}

/** Runs the program. For help and for a mistake it only prints; the exit status of a mistake is 2. */
export async function runCommand<Options>(
  parsed: CommandLine<Options>,
  run: (options: Options) => void | Promise<void>,
): Promise<void> {
  switch (parsed.kind) {
    case 'help':
      process.stdout.write(parsed.text);
      break;
    case 'error':
      process.stderr.write(`${parsed.message}\n`);
      process.exitCode = 2;
      break;
    case 'run':
      await run(parsed.options);
  }
}

/** The positive whole numbers that a program takes in this order. Ends the process: with 2 after a mistake, with 0 after `--help`. */
export function readCounts(usage: string, defaults: readonly number[], argv = process.argv.slice(2)): number[] {
  const isWrong = argv.length > defaults.length || !argv.every((word) => /^[1-9]\d*$/.test(word));
  if (!isWrong) return defaults.map((usual, index) => Number(argv[index] ?? usual));
  const isHelp = argv.includes('--help');
  process[isHelp ? 'stdout' : 'stderr'].write(`usage: ${usage}\n`);
  process.exit(isHelp ? 0 : 2);
}

import { type ParseArgsConfig, parseArgs } from 'node:util';

type VerbOptions = NonNullable<ParseArgsConfig['options']>;

/**
 * Parses the arguments of a verb of the Makefile that starts its own program. Ends the process with status 2 on a mistake, and with 0
 * after printing the usage for `--help`. `refuse` prints a mistake that only the verb itself knows, and gives that status.
 */
export function verbArguments<T extends VerbOptions>(verb: string, usage: string, options: T) {
  const refuse = (mistake: string): 2 => {
    process.stderr.write(`${verb}: ${mistake}\n\n${usage}`);
    return 2;
  };
  try {
    const { help, ...values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } as VerbOptions }).values;
    if (help !== true) return { values: values as ReturnType<typeof parseArgs<{ options: T }>>['values'], refuse };
  } catch (error) {
    process.exit(refuse((error as Error).message));
  }
  process.stdout.write(usage);
  process.exit(0);
}

/** The values of `--name=VALUE` in a program's arguments, none of which may be missing; a sentence where one is. */
export function requiredFlags<Name extends string>(
  argv: readonly string[],
  names: readonly Name[],
): Readonly<Record<Name, string>> | string {
  const values = names.map((name) => {
    const given = argv.find((argument) => argument.startsWith(`--${name}=`));
    return [name, given?.slice(name.length + 3) ?? ''] as const;
  });
  const missing = values.find(([, value]) => value === '');
  if (missing) return `--${missing[0]}=... is missing`;
  return Object.fromEntries(values) as Record<Name, string>;
}

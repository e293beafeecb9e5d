/** The values of required `--name=VALUE` arguments. Returns a sentence if one is missing or empty. */
export function requiredFlags<Name extends string>(
  argv: readonly string[],
  names: readonly Name[],
): Readonly<Record<Name, string>> | string {
  const values = names.map((name) => {
    const found = argv.find((argument) => argument.startsWith(`--${name}=`));
    return [name, found?.slice(name.length + 3) ?? ''] as const;
  });
  const missing = values.find(([, value]) => value === '');
  if (missing) return `--${missing[0]}=... is missing`;
  return Object.fromEntries(values) as Record<Name, string>;
}

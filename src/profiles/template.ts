/** Names that stand in braces in the texts of a profile. */
export const volumePlaceholders = [
  'namespace',
  'name',
  'directory',
  'endpoint',
  'bucket',
  'accessKeyId',
  'secretAccessKey',
] as const;
export const processPlaceholders = ['namespace', 'name', 'volume', 'pod'] as const;
export const agentPlaceholders = [
  'nodeName',
  'socket',
  'kubeconfig',
  'kubeletRoot',
  'mountRoot',
  'gate',
  'flags',
  'node',
  'rekindle',
] as const;

/** A quantifier of a regular expression, such as `{2,4}`, has no letter. */
const placeholder = /\{([A-Za-z]\w*)\}/g;

/** Names of the placeholders in all texts of a value. */
export function placeholdersIn(value: unknown): readonly string[] {
  return [...new Set([...JSON.stringify(value ?? null).matchAll(placeholder)].map(([, name = '']) => name))];
}

/** Returns a copy of a value whose texts have values for their placeholders. An unknown one stays as it is. */
export function fillTemplate<T>(template: T, values: Readonly<Record<string, string>>): T {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(placeholder, (text, name: string) => values[name] ?? text);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]));
  };
  return fill(template) as T;
}

/** Fills a regular expression with texts that it must match literally. */
export function fillPattern(pattern: string, values: Readonly<Record<string, string>>): string {
  const literal = Object.entries(values).map(([name, text]) => [name, text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')]);
  return fillTemplate(pattern, Object.fromEntries(literal));
}

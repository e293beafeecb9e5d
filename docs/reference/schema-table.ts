/** As much of JSON Schema as a table shows. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: unknown;
  readonly default?: unknown;
}

/** One row for each field, those within others by their path. */
export function schemaAsMarkdown(schema: Schema): string {
  const rows = rowsOf(schema, '').map((cells) => `| ${cells.join(' | ')} |`);
  return ['| field | value | |', '| --- | --- | --- |', ...rows].join('\n');
}

type Row = readonly [field: string, value: string, description: string];

function rowsOf(schema: Schema, path: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const field = value as Schema;
    const at = path === '' ? name : `${path}.${name}`;
    const optional = schema.required?.includes(name) ? '' : 'Optional. ';
    return [[`\`${at}\``, kindOf(field), `${optional}${field.description ?? ''}`] as const, ...rowsOf(field, at)];
  });
}

function kindOf({ type, enum: values, items, default: fallback }: Schema): string {
  const kind = values
    ? values.map((value) => `\`${value}\``).join(', ')
    : items
      ? `list of ${kindOf(items as Schema)}`
      : type === 'object'
        ? 'map'
        : type === 'string'
          ? 'text'
          : String(type);
  return fallback === undefined ? kind : `${kind}; by default \`${JSON.stringify(fallback)}\``;
}

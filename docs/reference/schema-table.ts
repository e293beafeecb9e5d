/** The part of JSON Schema that the table shows. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: unknown;
  readonly default?: unknown;
}

/** Renders a row for each field; nested fields are named by their path. */
export function schemaAsMarkdown(schema: JsonSchema): string {
  const rows = listRows(schema, '').map((cells) => `| ${cells.join(' | ')} |`);
  return ['| field | value | |', '| --- | --- | --- |', ...rows].join('\n');
}

type Row = readonly [field: string, value: string, description: string];

function listRows(schema: JsonSchema, path: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const field = value as JsonSchema;
    const fieldPath = path === '' ? name : `${path}.${name}`;
    const optional = schema.required?.includes(name) ? '' : 'Optional. ';
    return [
      [`\`${fieldPath}\``, describeType(field), `${optional}${field.description ?? ''}`] as const,
      ...listRows(field, fieldPath),
      ...listRows((field.items ?? {}) as JsonSchema, `${fieldPath}[]`),
    ];
  });
}

function describeType({ type, enum: values, items, default: fallback }: JsonSchema): string {
  const typeName = values
    ? values.map((value) => `\`${value}\``).join(', ')
    : items
      ? `list of ${describeType(items as JsonSchema)}`
      : type === 'object'
        ? 'map'
        : type === 'string'
          ? 'text'
          : String(type);
  return fallback === undefined ? typeName : `${typeName}; by default \`${JSON.stringify(fallback)}\``;
}

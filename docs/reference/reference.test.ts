import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referencePages } from './pages.ts';
import { schemaAsMarkdown } from './schema-table.ts';

const pages = await referencePages();

test.each(pages)('$file matches the code (npm run docs regenerates it)', ({ file, text }) => {
  expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toBe(text);
});

test('the reference contains the help of every command', () => {
  const text = pages.find(({ file }) => file === 'command-line.md')?.text ?? '';
  for (const command of ['rekindle', 'rekindle conform', 'rekindle profile validate', 'rekindle deploy'])
    expect(text).toContain(`## ${command}\n\n\`\`\`text\nUsage: ${command}`);
});

test('a schema table has a row for each field, including nested fields', () => {
  const schema = {
    type: 'object',
    required: ['a'],
    properties: {
      a: {
        type: 'object',
        description: 'A.',
        required: ['b'],
        properties: { b: { enum: ['x', 'y'], description: 'B.' } },
      },
      c: { type: 'array', items: { type: 'string' }, default: [], description: 'C.' },
    },
  };
  expect(schemaAsMarkdown(schema).split('\n').slice(2)).toEqual([
    '| `a` | map | A. |',
    '| `a.b` | `x`, `y` | B. |',
    '| `c` | list of text; by default `[]` | Optional. C. |',
  ]);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referencePages } from './pages.ts';
import { schemaAsMarkdown } from './schema-table.ts';

const pages = await referencePages();

test.each(pages)('$file is as the code has it (npm run docs makes it so)', ({ file, text }) => {
  expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toBe(text);
});

test('every command has its help in the reference', () => {
  const text = pages.find(({ file }) => file === 'command-line.md')?.text ?? '';
  for (const command of ['rekindle', 'rekindle conform', 'rekindle profile validate', 'rekindle deploy'])
    expect(text).toContain(`## ${command}\n\n\`\`\`text\nUsage: ${command}`);
});

test('a schema becomes a row for each field, with those within it', () => {
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

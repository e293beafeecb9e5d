import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { shippedScenarios } from '../src/gherkin.ts';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const [, section = ''] = read('SECURITY.md').split('## What tenants have tried\n');
const rows = (section.split('\n## ')[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()));
const tags = shippedScenarios()
  .filter((scenario) => scenario.tags.includes('@adversary'))
  .flatMap((scenario) => scenario.tags.filter((tag) => tag.startsWith('@node:')));

it('every attack is held by tests that exist', () => {
  expect(rows.length).toBeGreaterThan(15);
  const missing = rows.flatMap(([, attack = '', , held = '']) =>
    held.split(/, (?=`)/).filter((named) => {
      const [, file = '', title = ''] = /^`([^`]+)`(?:: (.+))?$/.exec(named) ?? [];
      if (file.startsWith('@')) return !tags.includes(file);
      return attack === '' || title === '' || !read(file).includes(title);
    }),
  );
  expect(missing).toEqual([]);
});

it('every scenario of an attack is in the table', () => {
  for (const tag of tags) expect(section).toContain(`\`${tag}\``);
});

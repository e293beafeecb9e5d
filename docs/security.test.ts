import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readMutants } from '../mutants/mutant.ts';
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

it('what a review of the agent found is held by tests and breakages that exist', () => {
  const [, found = ''] = read('docs/reference/nodes-and-clusters.md').split('## What the agent takes for true');
  const names = new Set(readMutants().map(({ name }) => name));
  const held = found.split('\n').filter((line) => /^\| \d/.test(line));
  expect(held.length).toBeGreaterThan(15);
  const missing = held.filter((line) => {
    const [, file = '', title = '', breakage = ''] = /\]\(\.\.\/\.\.\/([^)]+)\): (.+) \| (.+) \|$/.exec(line) ?? [];
    return title === '' || !read(file).includes(title) || !names.has(breakage);
  });
  expect(missing).toEqual([]);
});

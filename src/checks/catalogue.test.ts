import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checks } from './catalogue.ts';

it('has every check that a file of this folder defines, each under a name of its own', () => {
  const files = globSync('*.ts', { cwd: import.meta.dirname }).filter((file) => !file.endsWith('.test.ts'));
  const defined = files.flatMap((file) => [
    ...readFileSync(`${import.meta.dirname}/${file}`, 'utf8').matchAll(/^export const \w+ = defineCheck/gm),
  ]);
  expect(checks.size).toBe(defined.length);
});

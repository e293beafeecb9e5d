import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checks } from './catalogue.ts';

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
const helpers = ['catalogue.ts', 'check-suite.ts', 'sample-history.ts'];

it('has every check that a file of this folder defines, each under a name of its own', async () => {
  const modules = await Promise.all(
    files
      .filter((file) => !helpers.includes(file))
      .map((file): Promise<object> => import(/* @vite-ignore */ join(import.meta.dirname, file))),
  );
  const defined = modules.flatMap((module) => Object.values(module)).filter((value) => 'title' in Object(value));
  expect(new Set(checks.values())).toEqual(new Set(defined));
  expect(checks.size).toBe(defined.length);
});

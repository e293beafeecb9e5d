import { expect, test } from 'vitest';
import { reachableTypes } from './compiled-code.ts';

test('the types of a package are those that its entry leads to', () => {
  const files: Readonly<Record<string, string>> = {
    'src/index.d.ts': "export type { A } from '../reports/a.ts';\nexport { b } from './b.js';",
    'src/b.d.ts': "export declare function b(): import('./deep/c.ts').C;\nimport p from '../package.json';",
    'src/deep/c.d.ts': "import type { A } from '../../reports/a.ts';\nimport type { Z } from 'zod';",
    'reports/a.d.ts': 'export interface A {}',
    'src/private.d.ts': '',
  };
  const found = reachableTypes('src/index.d.ts', (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  });
  expect([...found].sort()).toEqual(['reports/a.d.ts', 'src/b.d.ts', 'src/deep/c.d.ts', 'src/index.d.ts']);
});

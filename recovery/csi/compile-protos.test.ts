import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compile, compiledPath, protos } from './compile-protos.ts';

it.each(protos)('%s is compiled as it is', (proto) => {
  expect(readFileSync(compiledPath(proto), 'utf8')).toBe(compile(proto));
});

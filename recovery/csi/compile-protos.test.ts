import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compile, compiledPath, protos } from './compile-protos.ts';

it.each(protos)('the compiled form of %s is up to date', (proto) => {
  expect(readFileSync(compiledPath(proto), 'utf8')).toBe(compile(proto));
});

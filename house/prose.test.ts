import { expect, it } from 'vitest';
import { proseFindings } from './prose.ts';

it.each([
  ['a comment', '/** Undefined where there is none. */'],
  ['a message', "throw new Error('leave it to whoever made it');"],
  ['a template', '`containers are told by name`'],
  ['a title', "it('tells the writer to stop');"],
  ['things of others', '/** Leaves the mounts of others alone. */'],
])('finds a calque in %s', (_, line) => {
  expect(proseFindings('x.ts', `const a = 1;\n${line}\n`)).toMatchObject([{ line: 2 }]);
});

it.each([
  ['a pass over volumes', '/** Makes one pass over all volumes. */'],
  ['code', 'if (told(by, what)) return;'],
  ['a place', '/** The directory where the daemon keeps its cache. */'],
  ['a short literal', "const kind = 'told';"],
])('passes %s', (_, line) => {
  expect(proseFindings('x.ts', line)).toEqual([]);
});

it('reads prose of documents, and not their examples', () => {
  expect(proseFindings('x.md', 'It is to be done.\n\n```sh\necho is to be done\n```\n')).toMatchObject([{ line: 1 }]);
});

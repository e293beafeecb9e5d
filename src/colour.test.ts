import { expect, test } from 'vitest';
import { colourFor } from './colour.ts';

const terminal = { write: () => true, isTTY: true };
const pipe = { write: () => true };

test.each([
  ['a terminal has colours', terminal, {}, true],
  ['a pipe has none', pipe, {}, false],
  ['NO_COLOR disables them', terminal, { NO_COLOR: '1' }, false],
  ['an empty NO_COLOR does not', terminal, { NO_COLOR: '' }, true],
  ['a dumb terminal has none', terminal, { TERM: 'dumb' }, false],
  ['FORCE_COLOR enables them for a pipe', pipe, { FORCE_COLOR: '1' }, true],
  ['NO_COLOR overrides FORCE_COLOR', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
])('%s', (_, stream, env, coloured) => {
  expect(colourFor(stream, env)('red', 'x')).toBe(coloured ? '\u001b[31mx\u001b[39m' : 'x');
});

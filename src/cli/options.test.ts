import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkTags } from './options.ts';

const known = ['@C2', '@C3', '@fault:sigkill'];

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...known),
    tie('expression').map((operand) => `not ${operand}`),
    tie('expression').map((inner) => `( ${inner})`),
    fc.tuple(tie('expression'), fc.constantFrom('and', 'or'), tie('expression')).map((parts) => parts.join(' ')),
  ),
}));

test('accepts every well-formed expression of known tags', () => {
  fc.assert(
    fc.property(expression, (text) => {
      expect(checkTags(text, known)).toBe(text);
    }),
  );
});

test('refuses an expression that lost its last tag', () => {
  fc.assert(
    fc.property(expression, (text) => {
      const cut = text.replace(/@\S+(?=[\s)]*$)/, '');
      expect(() => checkTags(cut, known)).toThrow(/Expected oper|Unmatched|it is empty/);
    }),
  );
});

test.each([
  ['', 'it is empty'],
  ['@C2 @C3', 'Expected operator'],
  ['@C2)', 'Unmatched )'],
  ['(@C2', 'Unmatched ('],
  ['@C2 und @C3', '"und" is neither a tag'],
  ['@P1', 'no scenario tests the claim P1: rekindle claims shows what holds it'],
  ['not @c2', 'unknown tag "@c2": accepted are @C2, @C3, @fault:sigkill'],
])('refuses %j: %s', (text, message) => {
  expect(() => checkTags(text, known)).toThrow(message);
});

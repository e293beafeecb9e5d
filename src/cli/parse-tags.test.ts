import fc from 'fast-check';
import { expect, test } from 'vitest';
import { featureTags, tagsOf } from './feature-tags.ts';
import { checkTags } from './parse-tags.ts';

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

test('every well-formed expression of known tags is accepted', () => {
  fc.assert(
    fc.property(expression, (text) => {
      expect(checkTags(text, known)).toBe(text);
    }),
  );
});

test('an expression that lost its last tag is refused', () => {
  fc.assert(
    fc.property(expression, (text) => {
      const cut = text.replace(/@\S+(?=[\s)]*$)/, '');
      expect(() => checkTags(cut, known)).toThrow(/an operand is missing/);
    }),
  );
});

test.each([
  ['', 'an operand is missing'],
  ['@C2 @C3', '"@C3" is out of place'],
  ['@C2)', '")" is out of place'],
  ['(@C2', 'an operand is missing'],
  ['@C2 und @C3', '"und" is neither a tag'],
  ['not @c2', 'unknown tag "@c2": accepted are @C2, @C3, @fault:sigkill'],
])('%j is refused: %s', (text, says) => {
  expect(() => checkTags(text, known)).toThrow(says);
});

test('tags of a feature are those on lines of their own', () => {
  const feature = '@L4 @sandbox\nFeature: mail@home\n  @C2 @C3 # @not\n  Scenario: x\n    When "@no"\n# @never\n';
  expect(tagsOf(feature)).toEqual(['@L4', '@sandbox', '@C2', '@C3']);
});

test('the shipped features have the claims of the crash among their tags', () => {
  const tags = featureTags(new URL('../../features', import.meta.url).pathname);
  expect(tags).toEqual(expect.arrayContaining(['@C2', '@C3', '@L4']));
});

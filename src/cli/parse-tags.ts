import { UsageError, unknown } from './usage-error.ts';

/**
 * Checks a tag expression (`@C2 and not (@L1 or @L4)`) against the tags that there are, and returns it as it was. A tag that
 * no scenario has would select nothing and so pass.
 */
export function checkTags(expression: string, known: readonly string[]): string {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  const bad = (why: string) => new UsageError(`bad tag expression ${JSON.stringify(expression)}: ${why}`);
  for (const token of tokens.filter((token) => !/^(?:[()]|and|or|not)$/.test(token))) {
    if (!token.startsWith('@')) throw bad(`${JSON.stringify(token)} is neither a tag, as in @C2, nor and, or, not`);
    if (!known.includes(token)) throw unknown('tag', token, known);
  }
  const rest = parseOr(tokens);
  if (rest === undefined) throw bad('an operand is missing, as in @C2 and not @L1');
  if (rest.length > 0) throw bad(`${JSON.stringify(rest[0])} is out of place`);
  return expression;
}

type Tokens = readonly string[];

/** Each parser returns what is left after its part, or undefined where its part is not there. */
function parseOr(tokens: Tokens): Tokens | undefined {
  const rest = parseAnd(tokens);
  return rest?.[0] === 'or' ? parseOr(rest.slice(1)) : rest;
}

function parseAnd(tokens: Tokens): Tokens | undefined {
  const rest = parseOperand(tokens);
  return rest?.[0] === 'and' ? parseAnd(rest.slice(1)) : rest;
}

function parseOperand([first, ...rest]: Tokens): Tokens | undefined {
  if (first === 'not') return parseOperand(rest);
  if (first?.startsWith('@')) return rest;
  if (first !== '(') return undefined;
  const after = parseOr(rest);
  return after?.[0] === ')' ? after.slice(1) : undefined;
}

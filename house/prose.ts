import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { projectFiles } from './project-files.ts';

/** A pattern that an English-speaking engineer would not write, and what to write. */
interface ProseRule {
  readonly pattern: RegExp;
  readonly advice: string;
}

/** The worst patterns of the style guide. A legitimate use is rephrased rather than excepted. */
const rules: readonly ProseRule[] = [
  {
    pattern: /\b(?:where (?:there (?:is|are|was|were)|nothing|none|no)|(?:undefined|true|false|empty) where)\b/i,
    advice: 'write "if"',
  },
  { pattern: /\bwhoever\b/i, advice: 'name the subject' },
  { pattern: /(?:^|[.:;] )Who [a-z]+s\b/, advice: 'name the subject' },
  {
    pattern: /\b(?:is|are|was) told\b|\btold (?:by|what|to|apart)\b|\bis told\b/i,
    advice: 'write "reports", "notified" or "identified"',
  },
  { pattern: /\bso many\b/i, advice: 'write the number or the factor' },
  { pattern: /\b(?:is|are|was|were) to be\b|\bhas not to\b|\bhave not to\b/i, advice: 'write "must" or "must not"' },
  { pattern: /\bto be had\b/i, advice: 'write "available"' },
  { pattern: /\bmade anew\b|\bmakes? anew\b/i, advice: 'write "recreated"' },
  { pattern: /\btak(?:es|en|ing|e) away\b/i, advice: 'write "remove"' },
  { pattern: /\bstops? to answer\b/i, advice: 'write "stops answering"' },
  // A title or a docstring that begins with it: what reports, prints or distinguishes something is not a narrator.
  { pattern: /(?:^|\| )\s*tells /i, advice: 'write "reports", "notifies" or "distinguishes"' },
  { pattern: /\b(?<!one |a )pass(?:es)? over (?!one|all|a )/i, advice: 'write "ignores" or "skips"' },
  { pattern: /\ball the same\b/i, advice: 'write "still" or "anyway"' },
  { pattern: /\b(?:comes?|came) to be\b/i, advice: 'write "is created"' },
  { pattern: /(?<!what )\bgo(?:es)? on\b(?! to\b)/, advice: 'write "continues"' },
  { pattern: /\bin nobody|\b(?:as|from|for|by) whom\b/i, advice: 'name the subject' },
  {
    pattern:
      /\b(?:agents?|applications?|clusters?|daemons?|mounts?|nodes?|plugins?|pods?|tables|volumes?) of others\b/i,
    advice: 'write "other pods", or whose they are',
  },
];

/** One finding, with the line as it stands. */
export interface ProseFinding {
  readonly line: number;
  readonly text: string;
  readonly advice: string;
}

/** The parts of source text that people read: comments and quoted messages; for documents and features, everything but code. */
function readableLines(path: string, text: string): readonly string[] {
  if (path.endsWith('.feature')) return text.split('\n');
  if (path.endsWith('.md'))
    return text.replaceAll(/^```[\s\S]*?^```/gm, (code) => code.replaceAll(/[^\n]/g, '')).split('\n');
  return text.split('\n').map((line) => {
    const comment = /(?:^\s*\/?\*+|\/\/)(.*)$/.exec(line)?.[1] ?? '';
    const quoted = [...line.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)]
      .map(([, single, double, template]) => single ?? double ?? template ?? '')
      .filter((literal) => literal.includes(' '));
    return [comment, ...quoted].join(' | ');
  });
}

/** Findings in one file, in order of lines. */
export function proseFindings(path: string, text: string): readonly ProseFinding[] {
  return readableLines(path, text).flatMap((readable, index) =>
    rules
      .filter(({ pattern }) => pattern.test(readable))
      .map(({ advice }) => ({ line: index + 1, text: readable.trim(), advice })),
  );
}

if (import.meta.main) {
  let count = 0;
  for (const path of projectFiles(/\.(?:ts|js|feature|md)$/)) {
    // The rules themselves and the examples of their test.
    if (path.startsWith('house/')) continue;
    for (const { line, text, advice } of proseFindings(path, readFileSync(path, 'utf8'))) {
      count += 1;
      process.stdout.write(`${styleText('bold', `${path}:${line}`)} ${advice}: ${text}\n`);
    }
  }
  if (count > 0) {
    process.stdout.write(`${count} sentences to rewrite (style: CONTRIBUTING.md, Language)\n`);
    process.exitCode = 1;
  }
}

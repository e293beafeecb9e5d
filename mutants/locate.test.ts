import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { profileSchema } from '../src/profiles/profile.ts';
import { claims } from '../src/timeline/claims.ts';
import { applyEdit, DoesNotApply } from './locate.ts';
import { readMutants } from './mutant.ts';
import { TreeCopy } from './tree-copy.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const apply = (text: string, search: string, replace: string, within?: string) =>
  applyEdit(text, { file: 'a.ts', search, replace, in: within });

describe('a breakage is found', () => {
  const search = 'const live = sources.filter((source) => source.state === "live");';
  const replace = 'const live = sources.filter((source) => source.state !== "absent");';

  it.each([
    ['as it is', search, replace],
    [
      'after a rename of a local',
      'const alive = sources.filter((each) => each.state === "live");',
      'const alive = sources.filter((each) => each.state !== "absent");',
    ],
    [
      'after a rename of a property',
      'const live = sources.filter((source) => source.status === "live");',
      'const live = sources.filter((source) => source.status !== "absent");',
    ],
    [
      'after a rename of everything',
      'const a = b.keep((c) => c.d === "live");',
      'const a = b.keep((c) => c.d !== "absent");',
    ],
    [
      'in another layout, with comments, types and parentheses',
      "const live: Source[] = (sources).filter(\n  // comment\n  (source: Source) => (source.state === 'live'),\n);",
      replace,
    ],
  ])('%s', (_, text, broken) => {
    const others = 'const x = 1;\nfor (const y of z) y.filter((w) => w.state === "dead");\n';
    expect(apply(others + text, search, replace)).toBe(others + broken);
  });

  it('as the candidate with the most names in common', () => {
    expect(apply('f(a.size > 0); f(b.length > 0);', 'b.length > 0', 'true')).toBe('f(a.size > 0); f(true);');
  });

  it('in the function that is named', () => {
    const text = 'function f() { return a > 0; } class C { g = () => a > 0; h() { return a > 0; } }';
    expect(apply(text, 'a > 0', 'a > 1', 'g')).toBe(text.replace('=> a > 0', '=> a > 1'));
    expect(apply(text, 'a > 0', 'a > 1', 'h')).toBe(text.replace(/a > 0; } }$/, 'a > 1; } }'));
  });

  it('as a property, a spread element, or several statements', () => {
    expect(apply('f({ a: 1, b: c(2) });', 'b: c(2)', 'b: undefined')).toBe('f({ a: 1, b: undefined });');
    expect(apply('f([...(a ? [1] : []), 2]);', '...(a ? [1] : [])', '')).toBe('f([, 2]);');
    expect(apply('f(); g(); h();', 'f(); g();', 'g();')).toBe('g(); h();');
  });

  it('and takes over what $name stands for', () => {
    expect(apply('x = p(a, [b]) && q;', '$check && q', '!$check || q')).toBe('x = !p(a, [b]) || q;');
  });

  it('and keeps the key of a shorthand property', () => {
    expect(apply('const time = now(); f(time);', 'const t = now(); f(t);', 'const t = now(); f({ t });')).toBe(
      'const time = now(); f({ t: time });',
    );
  });

  it('as the body of a function', () => {
    const edit = { file: 'a.ts', in: 'f', replace: 'return true;' };
    expect(applyEdit('const f = (a: number): boolean => a > 0;', edit)).toBe(
      'const f = (a: number): boolean => { return true; };',
    );
    expect(applyEdit('class C { f({ a }) { if (a) return 1; } }', edit)).toBe('class C { f({ a }) { return true; } }');
  });
});

describe('a breakage is refused', () => {
  it.each([
    ['if nothing has its shape', 'f(1);', 'f(2)', 'x'],
    ['if two passages fit equally well', 'f(a); f(a);', 'f(a)', 'x'],
    ['if two names became one', 'f(a, a);', 'f(a, b)', 'x'],
    ['if it changes nothing', 'f(a);', 'f(a)', 'f(a)'],
    ['if the result is no code', 'f(a);', 'f(a)', ')'],
  ])('%s', (_, text, search, replace) => {
    expect(() => apply(text, search, replace)).toThrow(DoesNotApply);
  });
});

describe('each breakage', () => {
  const mutants = readMutants();

  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('applies and can be judged: %s', (_, mutant) => {
    const texts = new Map<string, string>();
    for (const edit of mutant.edits) {
      const text = texts.get(edit.file) ?? readFileSync(join(project, edit.file), 'utf8');
      texts.set(edit.file, applyEdit(text, edit));
    }
    expect(mutant.tests.filter((path) => !existsSync(join(project, path)))).toEqual([]);
  });

  it('has its files in the copy that is broken', () => {
    using tree = new TreeCopy(project);
    const named = mutants.flatMap(({ edits, tests }) => [...edits.map(({ file }) => file), ...tests]);
    expect(named.filter((path) => !existsSync(join(tree.path, path)))).toEqual([]);
  });

  it('has a name of its own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it('every claim can be broken by one of them', () => {
    const broken = new Set(mutants.map(({ breaks }) => breaks));
    expect(Object.keys(claims).filter((claim) => !broken.has(claim))).toEqual([]);
  });

  it('every field of a profile is ignored by one of them', () => {
    const ignored = new Set(mutants.map(({ field }) => field));
    const fields = fieldsOf(profileSchema);
    expect(fields).toEqual(
      expect.arrayContaining(['version', 'budgets.outageMs', 'pod.labels', 'process.pod.selector']),
    );
    expect(fields.filter((field) => !ignored.has(field))).toEqual([]);
    expect([...ignored].filter((field) => field !== undefined && !fields.includes(field))).toEqual([]);
  });
});

/** Paths of the fields that hold a value. */
function fieldsOf(schema: z.ZodType, path = ''): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return fieldsOf(schema.unwrap() as z.ZodType, path);
  if (schema instanceof z.ZodPipe) return fieldsOf(schema.in as z.ZodType, path);
  if (!(schema instanceof z.ZodObject) || Object.keys(schema.shape).length === 0) return [path];
  return Object.entries(schema.shape).flatMap(([name, field]) =>
    fieldsOf(field as z.ZodType, path === '' ? name : `${path}.${name}`),
  );
}

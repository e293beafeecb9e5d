import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { claims } from '../src/timeline/claims.ts';
import { applyEdit, DoesNotApply, inOneLine } from './mutant.ts';
import { mutants } from './table.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

describe('applyEdit', () => {
  const edit = { file: 'a.ts', search: 'b', replacement: 'x' };

  it('replaces a passage that occurs once', () => {
    expect(applyEdit('abc', edit)).toBe('axc');
  });

  it.each([
    ['that does not occur', 'ac', edit],
    ['that occurs twice', 'abcb', edit],
    ['that stays as it is', 'abc', { ...edit, replacement: 'b' }],
  ])('refuses a passage %s', (_, text, refused) => {
    expect(() => applyEdit(text, refused)).toThrow(DoesNotApply);
  });

  it('tells itself in one line', () => {
    expect(inOneLine({ search: 'if (a)\n    return;', replacement: '' })).toBe('if (a) return; → (nothing)');
  });
});

describe('each breakage', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))('applies and can be judged: %s', (_, mutant) => {
    const texts = new Map<string, string>();
    for (const edit of mutant.edits) {
      const text = texts.get(edit.file) ?? readFileSync(join(project, edit.file), 'utf8');
      texts.set(edit.file, applyEdit(text, edit));
    }
    expect(Object.keys(claims)).toContain(mutant.claim);
    for (const judge of mutant.judges) if ('test' in judge) expect(existsSync(join(project, judge.test))).toBe(true);
  });

  it('has a name of its own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });
});

it('every claim can be broken by one of them', () => {
  const broken = new Set(mutants.map(({ claim }) => claim));
  expect(Object.keys(claims).filter((claim) => !broken.has(claim))).toEqual([]);
});

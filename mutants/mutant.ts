/** One replaced passage. `search` must occur exactly once in the file. */
export interface Edit {
  /** Path from the project's folder. */
  readonly file: string;
  readonly search: string;
  readonly replacement: string;
}

/** Checks that must detect the breakage: scenarios by tag expression, or one test file. */
export type Judge = { readonly scenarios: string } | { readonly test: string };

/** A deliberate breakage of engine, kernel, agent or webhook. */
export interface Mutant {
  /** What the broken program does, in the present tense. */
  readonly name: string;
  /** Claim that it violates. */
  readonly claim: string;
  /** Usually one. More if the program has several safeguards, each of which is sufficient. */
  readonly edits: readonly Edit[];
  /** At least one of these must fail. */
  readonly judges: readonly Judge[];
}

/** The breakage no longer fits the sources and must be updated. */
export class DoesNotApply extends Error {
  readonly code = 'DOES_NOT_APPLY';
}

/** A file's text with the passage replaced. @throws DoesNotApply if it does not occur exactly once, or changes nothing */
export function applyEdit(text: string, { file, search, replacement }: Edit): string {
  const [before, after, ...more] = text.split(search);
  if (before === undefined || after === undefined) throw new DoesNotApply(`${file} has no ${JSON.stringify(search)}`);
  if (more.length > 0) throw new DoesNotApply(`${file} has ${more.length + 1} times ${JSON.stringify(search)}`);
  if (search === replacement) throw new DoesNotApply(`${JSON.stringify(search)} is replaced by itself`);
  return before + replacement + after;
}

/** The breakage in one line, as a diff would show it. */
export function inOneLine({ search, replacement }: Pick<Edit, 'search' | 'replacement'>): string {
  const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  return `${flat(search)} → ${flat(replacement) || '(nothing)'}`;
}

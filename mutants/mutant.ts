/** One replaced passage. `search` occurs exactly once in the file, or the mutant does not apply and that is an error. */
export interface Edit {
  /** Path from the project's folder. */
  readonly file: string;
  readonly search: string;
  readonly replacement: string;
}

/** Which checks have to notice: scenarios by tag expression, or one file of tests. */
export type Judge = { readonly scenarios: string } | { readonly test: string };

/** A deliberate breakage of engine, kernel, agent or webhook. */
export interface Mutant {
  /** What the broken program does, in the present tense. */
  readonly name: string;
  /** Seed claim that it breaks. */
  readonly claim: string;
  /** As a rule one: a second where the program is guarded twice, and one guard alone changes nothing. */
  readonly edits: readonly Edit[];
  /** At least one of these has to turn red. */
  readonly judges: readonly Judge[];
}

/** The breakage no longer fits the sources: it shows nothing until it is mended. */
export class DoesNotApply extends Error {
  readonly code = 'DOES_NOT_APPLY';
}

/** A file's text with the passage replaced. @throws DoesNotApply where it does not occur exactly once, or changes nothing */
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

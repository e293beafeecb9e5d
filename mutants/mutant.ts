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

/** A profile that cannot be used: one sentence that names the profile, the line and field, and what is accepted. Status 2. */
export class BadProfile extends Error {
  readonly code = 'BAD_PROFILE';
  readonly profile: string;
  /** Line in the file, from 1, where it is about one. */
  readonly line: number | undefined;
  constructor(
    profile: string,
    { line, says }: { readonly line?: number; readonly says: string },
    options?: ErrorOptions,
  ) {
    super(`${line === undefined ? profile : `${profile}:${line}`}: ${says}`, options);
    this.profile = profile;
    this.line = line;
  }
}

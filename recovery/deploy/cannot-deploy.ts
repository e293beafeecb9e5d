/** The cluster lacks something, or holds what is somebody else's: a sentence, and what to do about it. */
export class CannotDeploy extends Error {
  readonly code = 'CANNOT_DEPLOY';
  readonly what: string;
  readonly remedy: string;
  constructor(what: string, remedy: string, options?: ErrorOptions) {
    super(`${what}: ${remedy}`, options);
    this.what = what;
    this.remedy = remedy;
  }
}

/** A run produced no record. `USAGE`: an argument is wrong. `CANNOT_RUN`: this machine lacks a requirement. `BROKE`: Rekindle failed. */
export class RunFailed extends Error {
  readonly code: 'USAGE' | 'CANNOT_RUN' | 'BROKE';
  /** Exit status of the command, or undefined if a signal ended it. */
  readonly status: number | undefined;
  constructor(status: number | undefined, message: string) {
    super(message);
    this.name = 'RunFailed';
    this.status = status;
    this.code = status === 2 ? 'USAGE' : status === 3 ? 'CANNOT_RUN' : 'BROKE';
  }
}

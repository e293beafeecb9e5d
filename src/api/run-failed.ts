/** No record came of a run: `USAGE`, an argument is wrong; `CANNOT_RUN`, this machine lacks something; `BROKE`, we did. */
export class RunFailed extends Error {
  readonly code: 'USAGE' | 'CANNOT_RUN' | 'BROKE';
  /** What the command exited with; undefined where a signal ended it. */
  readonly status: number | undefined;
  constructor(status: number | undefined, says: string) {
    super(says);
    this.name = 'RunFailed';
    this.status = status;
    this.code = status === 2 ? 'USAGE' : status === 3 ? 'CANNOT_RUN' : 'BROKE';
  }
}

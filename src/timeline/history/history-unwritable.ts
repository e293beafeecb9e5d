/** The history could not be written: disk full, no permission, a folder that is gone. */
export class HistoryUnwritable extends Error {
  readonly code = 'HISTORY_UNWRITABLE';
  readonly errno: string;
  readonly path: string;
  constructor(path: string, cause: NodeJS.ErrnoException) {
    const errno = cause.code ?? 'EUNKNOWN';
    const remedy =
      errno === 'ENOSPC' || errno === 'EDQUOT' ? ': free some space or choose another folder with --out' : '';
    super(`cannot write the history ${path}: ${cause.syscall ?? 'write'}: ${errno}${remedy}`, { cause });
    this.errno = errno;
    this.path = path;
  }
}

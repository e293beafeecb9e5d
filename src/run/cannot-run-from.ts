import { CannotRun, foreignAgentFailed } from '../../clusters/cluster.ts';

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room, or point TMPDIR and --out to another one',
  EDQUOT: 'the disk quota is used up: make room, or point TMPDIR and --out to another disk',
  EROFS: 'the file system is read-only: point TMPDIR and --out to one that can be written',
  EADDRINUSE: 'the port is taken: end the program that listens there',
  EMFILE: 'too many files are open: ulimit -n 65536',
  [foreignAgentFailed]:
    'it has to take the flags of a CSI node plugin and serve its --endpoint: see docs/how-to/judge-your-own-driver.md',
  ENFILE: 'too many files are open on this machine: sudo sysctl fs.file-max=1000000',
};

/** The failure that came first, rather than that of the clean-up after it. */
export function firstFailure(error: unknown): unknown {
  return error instanceof SuppressedError ? firstFailure(error.suppressed) : error;
}

/** Finds, in the chain of causes, a failed system call for which the machine is to blame. */
export function cannotRunFrom(error: unknown): CannotRun | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const remedy = remedies[(at as NodeJS.ErrnoException).code ?? ''];
    if (remedy !== undefined) return new CannotRun([{ what: at.message, remedy }], { cause: error });
  }
  return undefined;
}

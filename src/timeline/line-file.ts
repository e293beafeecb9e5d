import { type FileHandle, open } from 'node:fs/promises';

/** The history cannot be written: disk full, no permission, a folder that was removed. */
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

/** A file to which lines are appended. */
export interface LineFile {
  line(text: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

type OnError = (error: HistoryUnwritable) => void;

/** Creates the file, which must not exist. @throws HistoryUnwritable */
export async function openLineFile(path: string, onError?: OnError): Promise<LineFile> {
  const handle = await open(path, 'ax').catch((error) => {
    throw new HistoryUnwritable(path, error);
  });
  return createLineFile(handle, path, onError);
}

/** How long lines are buffered before they are written: many small writes would cost more than everything else. */
const bufferMs = 50;

/** Writes buffered lines, one write at a time. The first error is kept, and nothing is written after it. */
export function createLineFile(handle: FileHandle, path: string, onError?: OnError): LineFile {
  let buffered: string[] = [];
  let failed: HistoryUnwritable | undefined;
  let writing: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  let writeNow = () => {};

  const recordError = (error: NodeJS.ErrnoException) => {
    if (failed !== undefined) return;
    failed = new HistoryUnwritable(path, error);
    onError?.(failed);
  };
  const waitForMore = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, bufferMs);
      writeNow = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const writeAll = async () => {
    await waitForMore();
    while (buffered.length > 0 && failed === undefined) {
      const text = `${buffered.join('\n')}\n`;
      buffered = [];
      await handle.appendFile(text).catch(recordError);
    }
    writing = undefined;
  };
  const flush = async () => {
    writeNow();
    await writing;
    if (failed !== undefined) throw failed;
  };
  const end = async () => {
    writeNow();
    await writing;
    await handle.close().catch(recordError);
    if (failed !== undefined) throw failed;
  };
  return {
    line(text) {
      if (failed !== undefined || closed !== undefined) return;
      buffered.push(text);
      writing ??= writeAll();
    },
    flush,
    close() {
      closed ??= end();
      return closed;
    },
  };
}

import { type FileHandle, open } from 'node:fs/promises';
import { HistoryUnwritable } from './history-unwritable.ts';

/** A file that only grows, line by line. */
export interface LineFile {
  line(text: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

type OnError = (error: HistoryUnwritable) => void;

/** Makes a file for lines; one that exists already is refused. @throws HistoryUnwritable */
export async function openLineFile(path: string, onError?: OnError): Promise<LineFile> {
  const handle = await open(path, 'ax').catch((error) => {
    throw new HistoryUnwritable(path, error);
  });
  return createLineFile(handle, path, onError);
}

/** How long lines are gathered before they are written: many small writes cost more than all else that is done with a line. */
const gatherMs = 50;

/** Writes lines, gathered, one write at a time. The first error is kept; nothing is written after it. */
export function createLineFile(handle: FileHandle, path: string, onError?: OnError): LineFile {
  let gathered: string[] = [];
  let failed: HistoryUnwritable | undefined;
  let writing: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  let hurry = () => {};

  const note = (error: NodeJS.ErrnoException) => {
    if (failed !== undefined) return;
    failed = new HistoryUnwritable(path, error);
    onError?.(failed);
  };
  const gather = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const writeAll = async () => {
    await gather();
    while (gathered.length > 0 && failed === undefined) {
      const text = `${gathered.join('\n')}\n`;
      gathered = [];
      await handle.appendFile(text).catch(note);
    }
    writing = undefined;
  };
  const flush = async () => {
    hurry();
    await writing;
    if (failed !== undefined) throw failed;
  };
  const end = async () => {
    hurry();
    await writing;
    await handle.close().catch(note);
    if (failed !== undefined) throw failed;
  };
  return {
    line(text) {
      if (failed !== undefined || closed !== undefined) return;
      gathered.push(text);
      writing ??= writeAll();
    },
    flush,
    close() {
      closed ??= end();
      return closed;
    },
  };
}

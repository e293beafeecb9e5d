import { write } from 'node:fs';

/** Lines on their way to a descriptor. */
export interface Outlet {
  line(value: object): void;
  /** Sends what has gathered, in one write, unless a write is under way: then that one's end sends it. */
  send(): void;
  /** Resolves once all is written or the other side is gone. */
  drained(): Promise<void>;
}

/**
 * Writes NDJSON without ever blocking the caller: one write at a time in the thread pool, so that a reader who does not
 * read holds up neither the watch over hangs nor the exit.
 */
export function createOutlet(descriptor: number): Outlet {
  let gathered = '';
  let writing = false;
  let waiting: (() => void)[] = [];

  const settle = () => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const put = (bytes: Buffer) => {
    writing = true;
    write(descriptor, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') return void setTimeout(put, 1, bytes);
      if (error === null && written < bytes.length) return put(bytes.subarray(written));
      writing = false;
      if (error !== null) gathered = '';
      send();
    });
  };
  const send = () => {
    if (writing) return;
    if (gathered === '') return settle();
    const bytes = Buffer.from(gathered);
    gathered = '';
    put(bytes);
  };

  return {
    line(value) {
      gathered += `${JSON.stringify(value)}\n`;
    },
    send,
    drained() {
      const done = new Promise<void>((resolve) => waiting.push(resolve));
      send();
      return done;
    },
  };
}

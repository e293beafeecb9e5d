import { write } from 'node:fs';

/** A buffered writer of NDJSON. */
export interface Outlet {
  line(value: object): void;
  /** Writes all buffered lines in one call, now or when the current write has ended. */
  send(): void;
  /** Resolves when all lines are written or the reader is gone. */
  drained(): Promise<void>;
}

/**
 * Writes without blocking the caller, one write at a time in the thread pool, so that a slow reader delays neither the detection
 * of hangs nor the exit.
 */
export function createOutlet(descriptor: number): Outlet {
  let buffered = '';
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
      if (error !== null) buffered = '';
      send();
    });
  };
  const send = () => {
    if (writing) return;
    if (buffered === '') return settle();
    const bytes = Buffer.from(buffered);
    buffered = '';
    put(bytes);
  };

  return {
    line(value) {
      buffered += `${JSON.stringify(value)}\n`;
    },
    send,
    drained() {
      const done = new Promise<void>((resolve) => waiting.push(resolve));
      send();
      return done;
    },
  };
}

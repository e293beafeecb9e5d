import type { Syscalls } from './syscalls.ts';

/**
 * Closes descriptors of dead mounts once the event loop turns. The last one takes a whole filesystem down with it, which takes
 * the kernel milliseconds, and nobody who waits for a new mount has to wait for that.
 */
export interface LateClose extends Disposable {
  close(fd: number): void;
}

export function createLateClose(sys: Pick<Syscalls, 'close'>): LateClose {
  let waiting: number[] = [];
  const closeAll = (): void => {
    const due = waiting;
    waiting = [];
    for (const fd of due) sys.close(fd);
  };
  return {
    close(fd) {
      if (waiting.length === 0) setImmediate(closeAll);
      waiting.push(fd);
    },
    [Symbol.dispose]: closeAll,
  };
}

import type { Syscalls } from './syscalls.ts';

/** Milliseconds in which whoever waits for a new mount has read from it. */
const pause = 20;

/**
 * Closes descriptors of dead mounts a moment later. The last one takes a whole filesystem down with it, which takes the kernel
 * milliseconds, and nobody who waits for a new mount has to wait for that.
 */
export interface LateClose extends Disposable {
  close(fd: number): void;
}

export function createLateClose(sys: Pick<Syscalls, 'close'>): LateClose {
  let waiting: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  const closeAll = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const due = waiting;
    waiting = [];
    for (const fd of due) sys.close(fd);
  };
  return {
    close(fd) {
      timer ??= setTimeout(closeAll, pause);
      waiting.push(fd);
    },
    [Symbol.dispose]: closeAll,
  };
}

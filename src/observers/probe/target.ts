import { closeSync } from 'node:fs';
import koffi from 'koffi';

/** The process whose namespace is read in. */
export interface Target {
  /** True once the process is gone, its number reused or not. */
  gone(): boolean;
}

/** Generic number: the same on all architectures. */
const SYS_PIDFD_OPEN = 434;
const POLLIN = 1;

/** Watches a process by pidfd; undefined where there is none with this number. */
export function watchTarget(pid: number): Target | undefined {
  const libc = koffi.load('libc.so.6');
  const descriptor: number = libc.func('long syscall(long, int, uint)')(SYS_PIDFD_OPEN, pid, 0);
  if (descriptor < 0) return undefined;
  const poll = libc.func('int poll(void *, unsigned long, int)');
  const request = Buffer.alloc(8);
  request.writeInt32LE(descriptor, 0);
  request.writeInt16LE(POLLIN, 4);
  return { gone: () => poll(request, 1, 0) > 0 };
}

/**
 * Ends this process at once, without joining its threads: one that hangs in a system call would never be joined.
 * A thread in state D keeps the process from vanishing until the FUSE connection answers or is aborted; that is the kernel.
 * So the standard streams are closed first: whoever reads them sees the end even then.
 */
export function exitNow(code: number): void {
  for (const stream of [0, 1, 2]) {
    try {
      closeSync(stream);
    } catch {}
  }
  koffi.load('libc.so.6').func('void _exit(int)')(code);
}

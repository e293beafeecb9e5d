import { loadSyscalls as load } from '../../recovery/linux/libc.ts';
import type { Syscalls } from '../../recovery/linux/syscalls.ts';

/** The system calls, except that a clone stays in the peer group of what it was made of. */
export function loadSyscalls(): Syscalls {
  const sys = load();
  return { ...sys, setAttributes: (fd, change) => sys.setAttributes(fd, { ...change, private: false }) };
}

import { loadSyscalls as loadReal } from '../../../recovery/linux/load-syscalls.ts';
import type { Syscalls } from '../../../recovery/linux/syscalls.ts';

export * from '../../../recovery/linux/load-syscalls.ts';

/** Mounts of one recovery pass follow each other faster than this. */
const passMs = 60;

/**
 * Loads the system calls with one change, which the query of this module's URL names: `?dies-before=attach:2` or `detach:2` never
 * makes that call, `?slow=20` delays the first attachment of each pass by 20 ms, `?shares-peer-group` clones mounts that stay in
 * the peer group of their source.
 */
export function loadSyscalls(): Syscalls {
  const query = new URL(import.meta.url).searchParams;
  const sys = loadReal();
  const [call = '', count] = query.get('dies-before')?.split(':') ?? [];
  if (query.has('dies-before')) return dieBefore(sys, call, Number(count));
  if (query.has('slow')) return slowDown(sys, Number(query.get('slow')));
  return { ...sys, setAttributes: (fd, change) => sys.setAttributes(fd, { ...change, private: false }) };
}

function dieBefore(sys: Syscalls, call: string, count: number): Syscalls {
  let remaining = count;
  let armed = false;
  // The agent probes the kernel during this turn of the event loop; only later calls are part of a recovery.
  setImmediate(() => {
    armed = true;
  });
  const dieIf = (matches: boolean): void => {
    if (armed && matches && --remaining === 0) process.kill(process.pid, 'SIGKILL');
  };
  return {
    ...sys,
    moveMount(from, to) {
      dieIf(call === 'attach' && to.path === '');
      return sys.moveMount(from, to);
    },
    umount(path, flags) {
      dieIf(call === 'detach' && path.startsWith('thread-self/fd/'));
      return sys.umount(path, flags);
    },
  };
}

function slowDown(sys: Syscalls, delayMs: number): Syscalls {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let last = 0;
  return {
    ...sys,
    moveMount(from, to) {
      if (to.path === '' && performance.now() - last > passMs) Atomics.wait(never, 0, 0, delayMs);
      last = performance.now();
      return sys.moveMount(from, to);
    },
  };
}

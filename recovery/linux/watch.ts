import koffi from 'koffi';
import type { Result } from '../engine/ports.ts';
import type { Syscalls } from './syscalls.ts';

/**
 * Waits for descriptors in Node's own event loop: no thread, no timer, asleep until the kernel wakes it.
 *
 * The descriptor is closed when the wait is disposed of.
 */
function onReadable(sys: Syscalls, fd: number, ready: () => void): Disposable {
  let open = true;
  const handle = koffi.node.poll(fd, { readable: true }, () => {
    // The library calls outside of Node's bookkeeping for promises: from an immediate they are settled in time.
    setImmediate(() => {
      if (open) ready();
    });
  });
  return {
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      handle.close();
      sys.close(fd);
    },
  };
}

/**
 * Calls back after a mount table changed; `tables` are two descriptors of its mountinfo, closed at the end.
 *
 * mountinfo says so by POLLPRI, which libuv does not wait for; an epoll instance around it becomes readable instead. The
 * kernel forgets a change once it has been asked for it, so being readable is the whole message. Joining libuv's own epoll
 * asks too, and tells nobody: the second descriptor has what came until then.
 */
export function watchTable(
  sys: Syscalls,
  [table, second]: readonly [table: number, second: number],
  changed: () => void,
): Result<Disposable> {
  const closeTables = () => {
    sys.close(table);
    sys.close(second);
  };
  const epoll = sys.epollPriority(table);
  if (!epoll.ok) {
    closeTables();
    return epoll;
  }
  const watch = onReadable(sys, epoll.value, changed);
  let open = true;
  // libuv joins before it next waits, and an immediate runs after it has waited; the first may run in the turn that is under way.
  setImmediate(() =>
    setImmediate(() => {
      if (!open) return;
      const missed = sys.pollPriority(second);
      if (missed.ok && missed.value) changed();
    }),
  );
  return {
    ok: true,
    value: {
      [Symbol.dispose]() {
        if (!open) return;
        open = false;
        watch[Symbol.dispose]();
        closeTables();
      },
    },
  };
}

/** Calls back once, when the last of some processes has ended. */
export function watchProcesses(sys: Syscalls, pids: readonly number[], exited: () => void): Disposable {
  using watches = new DisposableStack();
  let left = 0;
  for (const pid of pids) {
    const pidfd = sys.pidfdOpen(pid);
    if (!pidfd.ok) continue;
    left++;
    const watch = onReadable(sys, pidfd.value, () => {
      watch[Symbol.dispose]();
      left--;
      if (left === 0) exited();
    });
    watches.use(watch);
  }
  // All of them ended before they could be watched.
  if (left === 0 && pids.length > 0) {
    const soon = setImmediate(exited);
    watches.defer(() => clearImmediate(soon));
  }
  const kept = watches.move();
  return { [Symbol.dispose]: () => kept.dispose() };
}

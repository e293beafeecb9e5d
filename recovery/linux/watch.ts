import type { Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { pollReadable } from './libc.ts';
import { createMountinfoParser } from './mountinfo.ts';
import type { Namespaces } from './namespaces.ts';
import { inStep, ok } from './result.ts';
import type { Syscalls } from './syscalls.ts';

/** Waits for a descriptor in Node's own event loop, and closes it on disposal. */
export function onReadable(sys: Pick<Syscalls, 'close'>, fd: number, ready: () => void): Disposable {
  let open = true;
  const poll = pollReadable(fd, () => {
    // koffi calls back outside of Node's handling of promises; from an immediate they settle at once.
    setImmediate(() => {
      if (open) ready();
    });
  });
  return {
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      poll.close();
      sys.close(fd);
    },
  };
}

/**
 * Calls back after each change of a mount table. `tables` are two descriptors of the same mountinfo; disposal closes both.
 *
 * mountinfo reports a change by POLLPRI, which libuv cannot wait for, so an epoll instance around it is waited for. The kernel forgets
 * a change when it is polled: libuv's own epoll polls once when it adds the instance, and drops what it finds. The second descriptor
 * still has any change from before that moment.
 */
function watchTable(
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
  // libuv adds the instance before it next waits. The first immediate may run in the current turn, the second runs after that wait.
  setImmediate(() =>
    setImmediate(() => {
      if (!open) return;
      const missed = sys.pollPriority(second);
      if (missed.ok && missed.value) changed();
    }),
  );
  return ok({
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      watch[Symbol.dispose]();
      closeTables();
    },
  });
}

/** Calls back once, when the last of the processes has ended. */
export function watchProcesses(sys: Syscalls, pids: readonly number[], exited: () => void): Disposable {
  using watches = new DisposableStack();
  let running = 0;
  for (const pid of pids) {
    const pidfd = sys.pidfdOpen(pid);
    if (!pidfd.ok) continue;
    running++;
    const watch = onReadable(sys, pidfd.value, () => {
      watch[Symbol.dispose]();
      running--;
      if (running === 0) exited();
    });
    watches.use(watch);
  }
  // All of them ended before they could be watched.
  if (running === 0 && pids.length > 0) {
    const soon = setImmediate(exited);
    watches.defer(() => clearImmediate(soon));
  }
  const moved = watches.move();
  return { [Symbol.dispose]: () => moved.dispose() };
}

/** The node's mount table. It is read again only after the kernel has reported a change. */
export interface NodeTable extends Disposable {
  read(): Result<readonly Mount[]>;
  /** Calls back after each change. */
  watch(changed: () => void): Disposable;
  /** Reads and watches the table of the namespace that is the node's now, and calls back as after a change. */
  reopen(): void;
}

export function createNodeTable(sys: Syscalls, namespaces: Namespaces): NodeTable {
  const open = () =>
    inStep(
      'read-table',
      '/proc/self/mountinfo',
      namespaces.inNode(() => namespaces.openTable()),
    );
  let table = open();
  const parse = createMountinfoParser();
  const watchers = new Set<() => void>();
  let watching: Disposable | undefined;
  let known: readonly Mount[] | undefined;

  return {
    read() {
      if (!table.ok) return table;
      const fd = table.value;
      // Polled before reading, so that a change during the read is reported at the next poll.
      const changed = sys.pollPriority(fd);
      if (!changed.ok) return inStep('read-table', '', changed);
      if (known !== undefined && !changed.value) return ok(known);
      const text = sys.readText(fd);
      if (!text.ok) return inStep('read-table', '', text);
      known = parse(text.value);
      return ok(known);
    },
    watch(changed) {
      // Wrapped, so that a function that is passed twice is called twice.
      const watcher = () => changed();
      watchers.add(watcher);
      watching ??= startWatching();
      return {
        [Symbol.dispose]() {
          watchers.delete(watcher);
          if (watchers.size > 0) return;
          watching?.[Symbol.dispose]();
          watching = undefined;
        },
      };
    },
    reopen() {
      close();
      table = open();
      known = undefined;
      watching = watchers.size > 0 ? startWatching() : undefined;
      for (const watcher of [...watchers]) watcher();
    },
    [Symbol.dispose]: close,
  };

  function close(): void {
    watching?.[Symbol.dispose]();
    if (table.ok) sys.close(table.value);
  }

  /** Uses descriptors of its own, because each descriptor reports a change once. If that fails, callers depend on their resync. */
  function startWatching(): Disposable | undefined {
    const first = open();
    if (!first.ok) return undefined;
    const second = open();
    if (!second.ok) {
      sys.close(first.value);
      return undefined;
    }
    const watch = watchTable(sys, [first.value, second.value], () => {
      for (const watcher of [...watchers]) watcher();
    });
    return watch.ok ? watch.value : undefined;
  }
}

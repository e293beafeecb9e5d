import type { Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { createMountinfoParser } from './mountinfo.ts';
import type { Namespaces } from './namespaces.ts';
import { inStep, ok } from './result.ts';
import type { Syscalls } from './syscalls.ts';
import { watchTable } from './watch.ts';

/** The node's mount table, read again only after the kernel said that it changed. */
export interface NodeTable extends Disposable {
  read(): Result<readonly Mount[]>;
  /** Calls back after each change. */
  watch(changed: () => void): Disposable;
}

export function createNodeTable(sys: Syscalls, namespaces: Namespaces): Result<NodeTable> {
  const open = () =>
    inStep(
      'read-table',
      '/proc/self/mountinfo',
      namespaces.inNode(() => namespaces.openTable()),
    );
  const opened = open();
  if (!opened.ok) return opened;
  const fd = opened.value;
  const parse = createMountinfoParser();
  const watchers = new Set<() => void>();
  let waiting: Disposable | undefined;
  let known: readonly Mount[] | undefined;

  return ok({
    read() {
      // Asked before reading, so that a change during the read is told the next time.
      const changed = sys.pollPriority(fd);
      if (!changed.ok) return inStep('read-table', '', changed);
      if (known !== undefined && !changed.value) return ok(known);
      const text = sys.readText(fd);
      if (!text.ok) return inStep('read-table', '', text);
      known = parse(text.value);
      return ok(known);
    },
    watch(changed) {
      // Each watcher is a function of its own, even where two pass the same one.
      const watcher = () => changed();
      watchers.add(watcher);
      waiting ??= wait();
      return {
        [Symbol.dispose]() {
          watchers.delete(watcher);
          if (watchers.size > 0) return;
          waiting?.[Symbol.dispose]();
          waiting = undefined;
        },
      };
    },
    [Symbol.dispose]() {
      waiting?.[Symbol.dispose]();
      sys.close(fd);
    },
  });

  /** With descriptors of its own: a change is told once for each. Without, the callers' resync has to do. */
  function wait(): Disposable | undefined {
    const table = open();
    if (!table.ok) return undefined;
    const second = open();
    if (!second.ok) {
      sys.close(table.value);
      return undefined;
    }
    const watch = watchTable(sys, [table.value, second.value], () => {
      for (const watcher of [...watchers]) watcher();
    });
    return watch.ok ? watch.value : undefined;
  }
}

import { closeSync, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { directoryEntries, lastErrno, libc } from '../../../recovery/linux/libc.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { O_CLOEXEC, O_DIRECTORY } from '../../../recovery/linux/syscalls.ts';
import { type Command, commands, field } from './daemons/protocol.ts';
import { type Machine, MachineFailed } from './machine.ts';

const hour = 3600;
const O_RDWR = 2;

/** The running kernel. Its daemons are threads of this process, and a crash is the end of a daemon's descriptor. */
export function openRealMachine(): Machine {
  const sys = loadSyscalls();
  const wake = libc.eventfd(0, O_CLOEXEC);
  if (wake < 0) throw new MachineFailed({ errno: lastErrno(), call: 'eventfd', path: '' });
  const memory = new SharedArrayBuffer(64);
  const shared = new Int32Array(memory);
  const worker = new Worker(new URL('./daemons/worker.ts', import.meta.url), {
    workerData: { memory, wake },
    // It serves and closes descriptors that this thread opens.
    trackUnmanagedFds: false,
  });
  worker.unref();
  // Held open, because the namespaces of a history have no such directory.
  const devices = openSync('/dev', 'r');
  const descriptors = new Map<number, number>();
  const hanging = 0;
  const names = Buffer.alloc(4096);

  function command(name: Command, fd = -1, number = 0, validSeconds = 0): void {
    shared.set([commands.indexOf(name), fd, number, validSeconds, 0]);
    libc.eventfd_write(wake, 1);
    Atomics.wait(shared, field.isDone, 0);
  }

  function listNames(fd: number): string {
    const opened = libc.openat(fd, Buffer.from('.\0'), O_DIRECTORY | O_CLOEXEC, 0);
    if (opened < 0) return lastErrno();
    try {
      const found: string[] = [];
      for (;;) {
        const read = Number(libc.getdents64(opened, names, names.length));
        if (read < 0) return lastErrno();
        if (read === 0) return found.sort().join();
        for (const { name } of directoryEntries(names, read)) {
          const text = name.toString('utf8', 0, name.length - 1);
          if (text !== '.' && text !== '..') found.push(text);
        }
      }
    } finally {
      libc.close(opened);
    }
  }

  return {
    sys,
    mountFuse(daemon, { path, flags, caches }) {
      const fd = libc.openat(devices, Buffer.from('fuse\0'), O_RDWR | O_CLOEXEC, 0);
      if (fd < 0) throw new MachineFailed({ errno: lastErrno(), call: 'open', path: '/dev/fuse' });
      const mounted = sys.mount({
        source: `d${daemon}`,
        target: path,
        fstype: 'fuse.sim',
        flags,
        data: `fd=${fd},rootmode=40000,user_id=0,group_id=0,allow_other`,
      });
      if (!mounted.ok) {
        closeSync(fd);
        return mounted;
      }
      descriptors.set(daemon, fd);
      command('serve', fd, daemon, caches ? hour : 0);
      return mounted;
    },
    setDaemon(daemon, state) {
      const fd = descriptors.get(daemon);
      if (fd === undefined) return;
      command(state === 'dead' ? 'end' : state === 'hung' ? 'silence' : 'answer', fd);
      if (state === 'dead') descriptors.delete(daemon);
    },
    list: listNames,
    async reset() {
      command('end-all');
      descriptors.clear();
      while (hanging > 0) await nextTurn();
    },
    [Symbol.dispose]() {
      command('stop');
      libc.close(wake);
      closeSync(devices);
    },
  };
}

import { closeSync, openSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Result } from '../../../recovery/engine/ports.ts';
import { directoryEntries, lastErrno, libc, startSleeper } from '../../../recovery/linux/libc.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { failed, ok } from '../../../recovery/linux/result.ts';
import {
  AT_FDCWD,
  CLONE_NEWNS,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  RESOLVE_CACHED,
} from '../../../recovery/linux/syscalls.ts';
import { type Command, commands, field } from './daemons/protocol.ts';
import { type DaemonState, type Machine, MachineFailed, taken } from './machine.ts';

const hour = 3600;
const O_RDWR = 2;
const CLONE_NEWUSER = 0x10000000;

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
  const processes = openSync('/proc', 'r');
  const fusectl = sys.fsmount('fusectl');
  const descriptors = new Map<number, number>();
  /** A descriptor of each mount, so that the number of its connection is given to no other program's. */
  const mounts = new Map<number, number>();
  const names = Buffer.alloc(4096);

  function command(name: Command, fd = -1, { number = 0, validSeconds = 0, isSilent = false } = {}): void {
    shared.set([commands.indexOf(name), fd, number, validSeconds, isSilent ? 1 : 0, 0]);
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

  /**
   * Opens the topmost mount at a path, also if it is on the root of the process; undefined if its daemon would have to be asked. Keeps it
   * from being replaced by another one with the same device.
   */
  function openTop(path: string): number | undefined {
    const found = path === '/' ? '/..' : path;
    const opened = sys.openat2({ at: AT_FDCWD, path: found, flags: O_PATH, resolve: RESOLVE_CACHED });
    return opened.ok ? opened.value : undefined;
  }

  const deviceOf = (fd: number | undefined) => (fd === undefined ? undefined : taken(sys.identify(fd)).device);

  function copyForUser(): Result<number> {
    const pid = startSleeper(CLONE_NEWUSER | CLONE_NEWNS, 30);
    if (pid < 0) return failed({ errno: lastErrno(), call: 'clone', path: '', step: '' });
    try {
      return sys.openat2({ at: processes, path: `${pid}/ns/mnt`, flags: O_CLOEXEC, resolve: 0 });
    } finally {
      process.kill(pid, 'SIGKILL');
      libc.waitpid(pid, null, 0);
    }
  }

  /** Through fusectl if it is certain which connection it is; otherwise the daemon ends, which looks the same. */
  function abort(control: number, daemon: number): Result<void> {
    const [, connection] = deviceOf(mounts.get(daemon))?.split(':') ?? [];
    if (connection === undefined) {
      setDaemon(daemon, 'dead');
      return ok(undefined);
    }
    const file = sys.openat2({ at: control, path: `${connection}/abort`, flags: O_WRONLY | O_CLOEXEC, resolve: 0 });
    if (!file.ok) return file;
    writeSync(file.value, '1');
    sys.close(file.value);
    return ok(undefined);
  }

  function setDaemon(daemon: number, state: DaemonState): void {
    const fd = descriptors.get(daemon);
    if (fd === undefined) return;
    command(state === 'dead' ? 'end' : state === 'hung' ? 'silence' : 'answer', fd);
    if (state === 'dead') descriptors.delete(daemon);
  }

  const probe = copyForUser();
  if (probe.ok) sys.close(probe.value);

  return {
    sys,
    copyForUser: probe.ok ? copyForUser : undefined,
    abort: fusectl.ok ? (daemon) => abort(fusectl.value, daemon) : undefined,
    mountFuse(daemon, { path, flags, caches, starts }) {
      const fd = libc.openat(devices, Buffer.from('fuse\0'), O_RDWR | O_CLOEXEC, 0);
      if (fd < 0) throw new MachineFailed({ errno: lastErrno(), call: 'open', path: '/dev/fuse' });
      const before = openTop(path);
      const mounted = sys.mount({
        source: `d${daemon}`,
        target: path,
        fstype: 'fuse.sim',
        flags,
        data: `fd=${fd},rootmode=40000,user_id=0,group_id=0,allow_other`,
      });
      if (!mounted.ok) {
        for (const each of [fd, before]) if (each !== undefined) sys.close(each);
        return mounted;
      }
      descriptors.set(daemon, fd);
      const top = openTop(path);
      // The one before is held open meanwhile, so that a new mount has another device.
      if (top !== undefined && before !== undefined && deviceOf(top) !== deviceOf(before)) mounts.set(daemon, top);
      else if (top !== undefined) sys.close(top);
      if (before !== undefined) sys.close(before);
      command('serve', fd, { number: daemon, validSeconds: caches ? hour : 0, isSilent: starts });
      return mounted;
    },
    setDaemon,
    list: listNames,
    reset() {
      command('end-all');
      descriptors.clear();
      for (const fd of mounts.values()) sys.close(fd);
      mounts.clear();
    },
    [Symbol.dispose]() {
      command('stop');
      libc.close(wake);
      for (const fd of [devices, processes]) closeSync(fd);
      if (fusectl.ok) sys.close(fusectl.value);
    },
  };
}

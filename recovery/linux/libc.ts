import { channel } from 'node:diagnostics_channel';
import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';
import { type BoundFunction, bindings } from './bindings.ts';
import { errnoName } from './result.ts';

/** A function of libc. `async` runs it in another thread and reports to a callback, in which `lastErrno` is that call's. */
export type NativeFunction = KoffiFunc<(...args: readonly unknown[]) => number>;

/** The functions by prototype. */
const functions = {
  _exit: 'void _exit(int status)',
  accept4: 'int accept4(int socket, void *address, void *length, int flags)',
  bind: 'int bind(int socket, const void *address, uint length)',
  chroot: 'int chroot(const char *path)',
  clone: 'int clone(void *start, void *stack, int flags, ulong argument)',
  close: 'int close(int fd)',
  connect: 'int connect(int socket, const void *address, uint length)',
  dup3: 'int dup3(int from, int to, int flags)',
  epoll_create1: 'int epoll_create1(int flags)',
  epoll_ctl: 'int epoll_ctl(int epoll, int operation, int fd, void *event)',
  eventfd: 'int eventfd(uint count, int flags)',
  eventfd_read: 'int eventfd_read(int fd, _Out_ uint64_t *value)',
  eventfd_write: 'int eventfd_write(int fd, uint64_t value)',
  fchdir: 'int fchdir(int fd)',
  fstatfs: 'int fstatfs(int fd, void *buffer)',
  getppid: 'int getppid()',
  getsockopt: 'int getsockopt(int socket, int level, int option, void *value, void *length)',
  listen: 'int listen(int socket, int backlog)',
  mkfifo: 'int mkfifo(const char *path, uint mode)',
  mount: 'int mount(const char *source, const char *target, const char *fstype, ulong flags, const char *data)',
  open: 'int open(const char *path, int flags, int mode)',
  openat: 'int openat(int at, const void *path, int flags, int mode)',
  pipe2: 'int pipe2(void *ends, int flags)',
  poll: 'int poll(void *fds, ulong count, int timeout)',
  posix_spawn:
    'int posix_spawn(void *pid, const char *path, const void *actions, const void *attributes, const char **argv, const char **environment)',
  posix_spawn_file_actions_adddup2: 'int posix_spawn_file_actions_adddup2(void *actions, int from, int to)',
  posix_spawn_file_actions_destroy: 'int posix_spawn_file_actions_destroy(void *actions)',
  posix_spawn_file_actions_init: 'int posix_spawn_file_actions_init(void *actions)',
  prctl: 'int prctl(int option, ulong a, ulong b, ulong c, ulong d)',
  read: 'long read(int fd, void *buffer, size_t size)',
  recvmsg: 'long recvmsg(int socket, _Inout_ msghdr *message, int flags)',
  renameat2: 'int renameat2(int from, const char *fromPath, int to, const char *toPath, uint flags)',
  sendmsg: 'long sendmsg(int socket, _In_ msghdr *message, int flags)',
  setns: 'int setns(int fd, int nstype)',
  setsockopt: 'int setsockopt(int socket, int level, int option, const void *value, uint length)',
  socket: 'int socket(int domain, int type, int protocol)',
  statx: 'int statx(int at, const char *path, int flags, uint mask, void *buffer)',
  umount2: 'int umount2(const char *target, int flags)',
  unshare: 'int unshare(int flags)',
  waitpid: 'int waitpid(int pid, void *status, int options)',
} as const;

/** Architectures of which the numbers of system calls are known, by Node's names. */
type Architecture = 'x64' | 'arm64';

/**
 * The raw system calls by number and parameters: those that a C library may lack, and those that change credentials of
 * the calling thread only, for which the functions of libc change every thread of the process. From 424 on all architectures have the
 * same numbers. A test compares them with the kernel's headers.
 */
export const systemCalls = {
  setgroups: [{ x64: 116, arm64: 159 }, 'size_t count, const void *groups'],
  setresuid: [{ x64: 117, arm64: 147 }, 'uint real, uint effective, uint saved'],
  setresgid: [{ x64: 119, arm64: 149 }, 'uint real, uint effective, uint saved'],
  capget: [{ x64: 125, arm64: 90 }, 'void *header, void *data'],
  capset: [{ x64: 126, arm64: 91 }, 'void *header, void *data'],
  pivot_root: [{ x64: 155, arm64: 41 }, 'const char *newRoot, const char *putOld'],
  getdents64: [{ x64: 217, arm64: 61 }, 'int fd, void *buffer, size_t size'],
  open_tree: [428, 'int at, const char *path, uint flags'],
  move_mount: [429, 'int from, const char *fromPath, int to, const char *toPath, uint flags'],
  fsopen: [430, 'const char *fstype, uint flags'],
  fsconfig: [431, 'int fd, uint command, const char *key, const char *value, int aux'],
  fsmount: [432, 'int fd, uint flags, uint attributes'],
  pidfd_open: [434, 'int pid, uint flags'],
  openat2: [437, 'int at, const char *path, void *how, size_t size'],
  mount_setattr: [442, 'int fd, const char *path, uint flags, void *attributes, size_t size'],
  statmount: [457, 'const void *request, void *buffer, size_t size, uint flags'],
  listmount: [458, 'const void *request, void *ids, size_t count, uint flags'],
} as const satisfies Readonly<Record<string, readonly [number | Readonly<Record<Architecture, number>>, string]>>;

/** The number of a system call. @throws on an architecture whose numbers are unknown, where another call would be made */
export function numberOf(name: keyof typeof systemCalls, architecture: string = process.arch): number {
  const [number] = systemCalls[name];
  if (typeof number === 'number') return number;
  if (architecture === 'x64' || architecture === 'arm64') return number[architecture];
  throw new Error(`system call ${name} has no known number on ${architecture}`);
}

type Libc = Readonly<Record<keyof typeof functions | keyof typeof systemCalls, NativeFunction>>;

/**
 * libc.so.6 and the system calls that the project makes. This is the only module that binds native functions; it binds each at its first use,
 * so that a process pays for what it calls.
 */
export const libc: Libc = bindAtFirstUse();

function bindAtFirstUse(): Libc {
  let library: LibraryHandle | undefined;
  const bound = {} as Libc;
  const define = (name: string, bind: (library: LibraryHandle) => unknown) =>
    Object.defineProperty(bound, name, {
      configurable: true,
      get() {
        library ??= koffi.load('libc.so.6');
        const binding: BoundFunction = { name, call: bind(library) as NativeFunction };
        channel(bindings).publish(binding);
        Object.defineProperty(bound, name, { value: binding.call });
        return binding.call;
      },
    });
  for (const [name, prototype] of Object.entries(functions))
    define(name, (library) => {
      if (prototype.includes('msghdr')) defineMessageType();
      return library.func(prototype);
    });
  for (const name of Object.keys(systemCalls) as (keyof typeof systemCalls)[])
    define(name, (library) => {
      const [, parameters] = systemCalls[name];
      const number = numberOf(name);
      const call = library.func(`long syscall(long number, ${parameters})`);
      return Object.assign(call.bind(undefined, number), { async: call.async.bind(undefined, number) });
    });
  return bound;
}

let isMessageTypeDefined = false;

/** `man 2 recvmsg`. */
function defineMessageType(): void {
  if (isMessageTypeDefined) return;
  isMessageTypeDefined = true;
  koffi.struct('iovec', { base: 'void *', length: 'size_t' });
  koffi.struct('msghdr', {
    name: 'void *',
    nameLength: 'uint',
    parts: 'iovec *',
    partCount: 'size_t',
    control: 'void *',
    controlLength: 'size_t',
    flags: 'int',
  });
}

/** The name of the errno that the last call of this thread left, `ENOENT`. */
export function lastErrno(): string {
  return errnoName(koffi.errno());
}

const SIGCHLD = 17;

/**
 * Starts a copy of this process that only sleeps, in new namespaces (`man 2 clone`). It runs no JavaScript, so it needs none of the
 * threads that it lacks. Gives its pid; if that is negative, `lastErrno` says why.
 */
export function startSleeper(namespaces: number, seconds: number): number {
  const stack = Buffer.alloc(1 << 16);
  const sleep = koffi.load('libc.so.6').symbol('sleep', 'void');
  return libc.clone(sleep, koffi.address(stack) + BigInt(stack.length), namespaces | SIGCHLD, seconds);
}

/** Calls back in Node's event loop whenever a descriptor is readable, until it is closed. Needs neither a thread nor a timer. */
export function pollReadable(fd: number, ready: () => void): { close(): void; unref(): void } {
  return koffi.node.poll(fd, { readable: true }, ready);
}

/** One name in a directory. */
export interface DirectoryEntry {
  /** Bytes that end in NUL. */
  readonly name: Buffer;
  readonly inode: number;
  readonly kind: 'file' | 'unknown' | 'other';
}

const DT_UNKNOWN = 0;
const DT_REG = 8;

/** Decodes the first `used` bytes of a buffer that getdents64 filled (`man 2 getdents`). Stops at a damaged record. */
export function* directoryEntries(buffer: Buffer, used: number): Generator<DirectoryEntry> {
  let at = 0;
  while (at + 20 <= used) {
    const length = buffer.readUInt16LE(at + 16);
    if (length < 20 || at + length > used) return;
    const end = buffer.indexOf(0, at + 19);
    if (end === -1 || end >= at + length) return;
    const type = buffer[at + 18];
    const kind = type === DT_REG ? 'file' : type === DT_UNKNOWN ? 'unknown' : 'other';
    yield { name: buffer.subarray(at + 19, end + 1), inode: Number(buffer.readBigUInt64LE(at)), kind };
    at += length;
  }
}

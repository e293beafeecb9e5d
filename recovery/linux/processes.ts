import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Container } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { O_DIRECTORY, type Syscalls } from './syscalls.ts';

/** All processes that /proc shows, by ascending pid. */
export function processIds(proc: string): readonly number[] {
  return readdirSync(proc)
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
    .sort((a, b) => a - b);
}

/** `mnt:[4026531841]`; undefined if the process has ended or may not be inspected. */
export function namespaceOf(proc: string, pid: number | 'self', kind: 'mnt' | 'user'): string | undefined {
  return readProcLink(`${proc}/${pid}/ns/${kind}`);
}

/** What a link of /proc leads to, `mnt:[inode]`; undefined if it cannot be read. */
export function readProcLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The children of a process, which any of its threads may have started. None if it has ended. */
export function childrenOf(proc: string, pid: number): readonly number[] {
  try {
    return readdirSync(`${proc}/${pid}/task`).flatMap((task) =>
      (readProc(`${proc}/${pid}/task/${task}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** A process and its descendants, the process itself first. */
export function processTree(pid: number): readonly number[] {
  return [pid, ...childrenOf('/proc', pid).flatMap(processTree)];
}

/** Start time in clock ticks since boot, which with the pid identifies a process for good. Undefined if it has ended. */
export function startTime(proc: string, pid: number): string | undefined {
  return statusFields(proc, pid)?.[19];
}

/** The fields of /proc/PID/stat from the third, the state. */
function statusFields(proc: string, pid: number): readonly string[] | undefined {
  const stat = readProc(`${proc}/${pid}/stat`);
  // The name in parentheses may itself have spaces and parentheses.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Effective credentials of a process, in ids of this process's user namespace. */
export function credentialsOf(proc: string, pid: number): Container['user'] | undefined {
  const status = readProc(`${proc}/${pid}/status`);
  return status === undefined ? undefined : parseCredentials(status);
}

/** Whether a process is process 1 of a PID namespace below the one of proc (`NSpid` of `man 5 proc_pid_status`). */
export function isFirst(proc: string, pid: number): boolean {
  const ids = /^NSpid:\s+(.*)$/m.exec(readProc(`${proc}/${pid}/status`) ?? '')?.[1]?.split(/\s+/) ?? [];
  return ids.length > 1 && ids.at(-1) === '1';
}

/** Parses /proc/PID/status, whose `Uid:` has the real, effective, saved and filesystem id. */
export function parseCredentials(status: string): Container['user'] | undefined {
  const numbers = (field: string) =>
    new RegExp(`^${field}:[ \\t]*(.*)$`, 'm')
      .exec(status)?.[1]
      ?.split(/\s+/)
      .filter((text) => text !== '')
      .map(Number);
  const uid = numbers('Uid')?.[1];
  const gid = numbers('Gid')?.[1];
  if (uid === undefined || gid === undefined) return undefined;
  return { uid, gid, groups: numbers('Groups') ?? [] };
}

/** The number of files that this process may have open. Node raises its soft limit to the hard one. */
export function openFilesLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readProc('/proc/self/limits') ?? '')?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

/** A file of /proc; undefined if it cannot be read. */
export function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** What /proc shows of one process. Each gives undefined if the process has ended or may not be inspected. */
export interface ProcessFiles {
  namespaceOf(pid: number | 'self', kind: 'mnt' | 'user'): string | undefined;
  startTime(pid: number): string | undefined;
  /** Whether it is a child of this process that runs the same program, as a prober does. */
  isHelper(pid: number): boolean | undefined;
  isFirst(pid: number): boolean;
  credentials(pid: number): Container['user'] | undefined;
  /** The text of its file `cgroup`. */
  cgroup(pid: number): string | undefined;
  /** The text of its mountinfo; `tooLong`: it is not a container's, as it has more than `maxTableBytes`. */
  mountTable(pid: number): string | typeof tooLong | undefined;
}

/** A table of about 800 mounts. In a user namespace of its own a tenant may make a hundred thousand, which take half a second to read. */
export const maxTableBytes = 128 * 1024;

export const tooLong = Symbol('a mount table that is too long');

/** `proc`: mount point of proc, `/proc`. */
export function processFiles(proc: string, sys: Pick<Syscalls, 'readText'>): ProcessFiles {
  return {
    namespaceOf: (pid, kind) => namespaceOf(proc, pid, kind),
    startTime: (pid) => startTime(proc, pid),
    isHelper(pid) {
      const parent = statusFields(proc, pid)?.[1];
      if (parent !== String(process.pid)) return parent === undefined ? undefined : false;
      const program = readProcLink(`${proc}/${pid}/exe`);
      return program === undefined ? undefined : program === readProcLink('/proc/self/exe');
    },
    isFirst: (pid) => isFirst(proc, pid),
    credentials: (pid) => credentialsOf(proc, pid),
    cgroup: (pid) => readProc(`${proc}/${pid}/cgroup`),
    mountTable: (pid) => readTable(sys, `${proc}/${pid}/mountinfo`),
  };
}

/** Opens the file each time, because an open descriptor would keep the mounts of a dead pod alive. */
function readTable(sys: Pick<Syscalls, 'readText'>, path: string): string | typeof tooLong | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const text = sys.readText(fd, maxTableBytes);
      if (!text.ok) return text.failure.errno === 'EFBIG' ? tooLong : undefined;
      return text.value === '' ? undefined : text.value;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** A process and its mount namespace, `mnt:[inode]`. */
export interface NamespacedProcess {
  readonly pid: number;
  readonly mountNamespace: string;
}

export interface ProcessNamespaces {
  /** All processes that may be inspected, by ascending pid. `onlyNew`: reuse the namespace of processes that are known. */
  locate(onlyNew: boolean): readonly NamespacedProcess[];
  /** Reads the namespaces for the next `locate`, one at each step. */
  prepare(): Generator<void>;
}

export interface ProcessNamespacesOptions {
  /** Mount point of proc: `/proc`. */
  readonly proc: string;
  readonly sys: Pick<Syscalls, 'open' | 'readNumbered' | 'close'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

interface KnownProcess {
  readonly inode: number;
  readonly firstSeen: number;
  readonly mountNamespace: string | undefined;
}

/** For this long, in milliseconds, what was read in preparation of a scan is recent enough for it. */
export const preparedFor = 250;

/** A process younger than this, in milliseconds, may still change its namespace: container runtimes start in the node's. */
const settlingTime = 3_000;

/**
 * The mount namespaces of all processes. Reading one takes about 30 microseconds, so those of settled processes are remembered.
 * The inode number of /proc/PID lives as long as the process and reveals a reused pid.
 */
export function createProcessNamespaces({ proc, sys, now }: ProcessNamespacesOptions): ProcessNamespaces {
  let known: ReadonlyMap<number, KnownProcess> = new Map();
  let prepared = new Map<string, { readonly mountNamespace: string | undefined; readonly readAt: number }>();

  function read(pid: number, inode: number | undefined, scannedAt: number): string | undefined {
    const before = prepared.get(`${pid} ${inode}`);
    return before !== undefined && scannedAt - before.readAt < preparedFor
      ? before.mountNamespace
      : namespaceOf(proc, pid, 'mnt');
  }

  return {
    *prepare() {
      prepared = new Map();
      for (const { pid, inode } of listProcesses()) {
        if (inode !== undefined)
          prepared.set(`${pid} ${inode}`, { mountNamespace: namespaceOf(proc, pid, 'mnt'), readAt: now() });
        yield;
      }
    },
    locate(onlyNew) {
      const scannedAt = now();
      const next = new Map<number, KnownProcess>();
      for (const { pid, inode } of listProcesses()) {
        const before = known.get(pid);
        const same = inode !== undefined && before?.inode === inode ? before : undefined;
        const firstSeen = same?.firstSeen ?? scannedAt;
        const isSettled = onlyNew && same !== undefined && scannedAt - firstSeen >= settlingTime;
        const mountNamespace = isSettled ? same.mountNamespace : read(pid, inode, scannedAt);
        next.set(pid, { inode: inode ?? 0, firstSeen, mountNamespace });
      }
      known = next;
      return [...next]
        .flatMap(([pid, { mountNamespace }]) => (mountNamespace === undefined ? [] : [{ pid, mountNamespace }]))
        .sort((a, b) => a.pid - b.pid);
    },
  };

  function listProcesses(): readonly { readonly pid: number; readonly inode: number | undefined }[] {
    const directory = sys.open(proc, O_DIRECTORY);
    if (directory.ok) {
      const entries = sys.readNumbered(directory.value);
      sys.close(directory.value);
      if (entries.ok) return entries.value.map(({ number, inode }) => ({ pid: number, inode }));
    }
    return processIds(proc).map((pid) => ({ pid, inode: undefined }));
  }
}

/**
 * Signals process 1 of a container, which ends it for the kubelet. Fails with ESRCH if it has none of its own (`shareProcessNamespace`,
 * `hostPID`) or has ended. The mount namespace identifies it until the signal; nothing is awaited in between.
 */
export function endContainer(
  proc: string,
  { mountNamespace, name }: Pick<Container, 'mountNamespace' | 'name'>,
  signal: 'SIGTERM' | 'SIGKILL',
): Result<void> {
  const own = processIds(proc).filter((pid) => namespaceOf(proc, pid, 'mnt') === mountNamespace);
  const main = own.find((pid) => isFirst(proc, pid));
  const fail = (errno: string, step: string): Result<void> => ({
    ok: false,
    failure: { errno, call: 'kill', path: name, step },
  });
  if (main === undefined) return fail('ESRCH', own.length === 0 ? 'container-ended' : 'no-process-1');
  try {
    process.kill(main, signal);
    return { ok: true, value: undefined };
  } catch (error) {
    return fail((error as NodeJS.ErrnoException).code ?? 'EIO', 'signal');
  }
}

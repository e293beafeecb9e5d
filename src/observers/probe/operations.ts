import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProbeOperation } from '../../timeline/record.ts';

/** The result of one operation: `ok`, an errno, or a name of our own, and the call that failed. */
export interface OperationResult {
  readonly result: string;
  readonly call?: string;
}

export interface Expected {
  /** Mount path of the volume in the namespace of the reading thread. */
  readonly path: string;
  /** SHA-256 in hex of each file, keyed by its path relative to `path`. */
  readonly files: Readonly<Record<string, string>>;
}

const ok: OperationResult = { result: 'ok' };

/** The operation of a slot: of every ten one lists if the probe does, one stats, the others read. */
export function operationOf(slot: number, { lists }: { readonly lists: boolean }): ProbeOperation {
  if (lists && slot % 10 === 4) return 'list';
  return slot % 10 === 9 ? 'stat' : 'read';
}

/** When a slot is due, in nanoseconds after the first. Computed from the slot, so that rounding errors do not add up. */
export const dueAfter = (slot: number, rate: number) => BigInt(Math.round((slot * 1e9) / rate));

/**
 * Creates a function that performs one operation synchronously and returns system errors as results.
 * `read` opens a file, reads all of it and compares the checksum (`EBADSUM`); `list` reads a directory, which must have the
 * expected names (`EEMPTY`); `stat` may be answered from the kernel's attribute cache while the daemon is dead or hangs,
 * so it does not prove that anything can be read. Files and directories are used in rotation.
 * `call` is libuv's name: `scandir` is opendir or getdents64.
 */
export function createOperations({ path, files }: Expected): (op: ProbeOperation) => OperationResult {
  const expected = Object.entries(files).map(([name, sum]) => ({ path: join(path, name), sum }));
  const directories = [...namesByDirectory(path, Object.keys(files))];
  const buffer = Buffer.allocUnsafe(1 << 20);
  const turns = { read: 0, list: 0, stat: 0 };
  const next = <T>(op: ProbeOperation, items: readonly T[]): T | undefined => items[turns[op]++ % items.length];

  const operations = {
    read: (): OperationResult => {
      const file = next('read', expected);
      // Without files, reading the directory distinguishes a dead mount from an empty one.
      if (file === undefined) return operations.list();
      return checksum(file.path, buffer) === file.sum ? ok : { result: 'EBADSUM' };
    },
    list: (): OperationResult => {
      const [directory, names] = next('list', directories) ?? [path, new Set<string>()];
      const found = new Set(readdirSync(directory));
      return names.isSubsetOf(found) ? ok : { result: 'EEMPTY' };
    },
    stat: (): OperationResult => {
      statSync(next('stat', expected)?.path ?? path);
      return ok;
    },
  };
  return (op) => {
    try {
      return operations[op]();
    } catch (error) {
      return toResult(error);
    }
  };
}

/** The names that each directory must have, including the mount point itself, keyed by absolute path. */
function namesByDirectory(root: string, files: readonly string[]): Map<string, Set<string>> {
  const directories = new Map<string, Set<string>>([[root, new Set()]]);
  for (const file of files) {
    for (let child = join('/', file); child !== '/'; child = dirname(child)) {
      const parent = dirname(child);
      const directory = parent === '/' ? root : join(root, parent);
      const names = directories.get(directory) ?? new Set();
      names.add(child.slice(child.lastIndexOf('/') + 1));
      directories.set(directory, names);
    }
  }
  return directories;
}

function checksum(path: string, buffer: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (let bytes = readSync(file, buffer); bytes > 0; bytes = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, bytes));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function toResult(error: unknown): OperationResult {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
  return { result: error.code, ...('syscall' in error && { call: String(error.syscall) }) };
}

import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProbeOperation } from '../../timeline/record.ts';

export interface Outcome {
  readonly result: string;
  readonly call?: string;
}

export interface Expected {
  /** Where the volume is mounted, as the reading thread sees it. */
  readonly path: string;
  /** SHA-256 in hex of each file, keyed by its path relative to `path`. */
  readonly files: Readonly<Record<string, string>>;
}

const ok: Outcome = { result: 'ok' };

/**
 * Makes a function that does one operation, synchronously, and never throws for an error of the system.
 * `read` opens a file, reads all of it and compares the checksum (`EBADSUM`); `list` reads a directory, which must hold the
 * expected names (`EEMPTY`); `stat` may be answered from the kernel's attribute cache while the daemon is dead or hangs
 * (kernel facts, B), so it is no proof that anything can be read. Files and directories take turns.
 * `call` is the name that libuv gives: `scandir` is opendir or getdents64.
 */
export function createOperations({ path, files }: Expected): (op: ProbeOperation) => Outcome {
  const expected = Object.entries(files).map(([name, sum]) => ({ path: join(path, name), sum }));
  const directories = [...namesByDirectory(path, Object.keys(files))];
  const buffer = Buffer.allocUnsafe(1 << 20);
  const turns = { read: 0, list: 0, stat: 0 };
  const next = <T>(op: ProbeOperation, items: readonly T[]): T | undefined => items[turns[op]++ % items.length];

  const operations = {
    read: (): Outcome => {
      const file = next('read', expected);
      // Without a file nothing can be read but the directory, which is what tells a dead mount from an empty one.
      if (file === undefined) return operations.list();
      return checksum(file.path, buffer) === file.sum ? ok : { result: 'EBADSUM' };
    },
    list: (): Outcome => {
      const [directory, names] = next('list', directories) ?? [path, new Set<string>()];
      const found = new Set(readdirSync(directory));
      return names.isSubsetOf(found) ? ok : { result: 'EEMPTY' };
    },
    stat: (): Outcome => {
      statSync(next('stat', expected)?.path ?? path);
      return ok;
    },
  };
  return (op) => {
    try {
      return operations[op]();
    } catch (error) {
      return outcomeOf(error);
    }
  };
}

/** Names that each directory must hold, the mount point itself included; keyed by absolute path. */
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

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
  return { result: error.code, ...('syscall' in error && { call: String(error.syscall) }) };
}

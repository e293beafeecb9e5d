import type { Stat, Statfs } from './fuse-native.ts';

/** Request numbers (`linux/fuse.h`). */
export const opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  open: 14,
  read: 15,
  statfs: 17,
  release: 18,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
} as const;

export interface RawRequest {
  readonly opcode: number;
  /** Echoed in the response as it is. */
  readonly unique: bigint;
  /** Whether another daemon has read the request and not answered it (FUSE_UNIQUE_RESEND). */
  readonly isResent: boolean;
  readonly node: bigint;
  readonly body: Buffer;
}

const headerBytes = 40;

/** Parses a request (`struct fuse_in_header`); one read of /dev/fuse returns one request. */
export function parseRequest(bytes: Buffer): RawRequest {
  return {
    opcode: bytes.readUInt32LE(4),
    unique: bytes.readBigUInt64LE(8),
    isResent: bytes.readBigUInt64LE(8) >> 63n === 1n,
    node: bytes.readBigUInt64LE(16),
    body: bytes.subarray(headerBytes),
  };
}

/** `struct fuse_out_header` and the body. `response`: an errno, or the body of a success. */
export function encodeResponse(unique: bigint, response: number | Buffer): Buffer {
  const [errno, body] = typeof response === 'number' ? [response, Buffer.alloc(0)] : [0, response];
  const header = Buffer.alloc(16);
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeInt32LE(-errno, 4);
  header.writeBigUInt64LE(unique, 8);
  return Buffer.concat([header, body]);
}

export const maxReadBytes = 1 << 17;

const minorVersion = 40;
/** FUSE_INIT_EXT announces the upper half of the flags, which contains FUSE_ALLOW_IDMAP. */
const extended = 0x40000000;
const allowIdmap = 1 << 8;
/** FUSE_PARALLEL_DIROPS: otherwise the kernel lets look-ups in a directory wait while it is listed. */
const parallelDirectoryOperations = 1 << 18;

/** `struct fuse_init_out` of a daemon whose mounts may be idmapped (Linux 6.12). */
export function encodeInit(request: Buffer): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(Math.min(request.readUInt32LE(4), minorVersion), 4);
  out.writeUInt32LE(maxReadBytes, 8);
  out.writeUInt32LE(extended | parallelDirectoryOperations, 12);
  out.writeUInt16LE(16, 16);
  out.writeUInt16LE(12, 18);
  out.writeUInt32LE(maxReadBytes, 20);
  out.writeUInt32LE(allowIdmap, 32);
  return out;
}

/** `struct fuse_attr`. */
function encodeAttr(node: bigint, stat: Stat): Buffer {
  const out = Buffer.alloc(88);
  out.writeBigUInt64LE(node, 0);
  out.writeBigUInt64LE(BigInt(stat.size), 8);
  out.writeBigUInt64LE(BigInt(stat.blocks), 16);
  for (const [index, time] of [stat.atime, stat.mtime, stat.ctime].entries())
    out.writeBigUInt64LE(BigInt(Math.floor(time / 1000)), 24 + 8 * index);
  out.writeUInt32LE(stat.mode, 60);
  out.writeUInt32LE(stat.nlink, 64);
  out.writeUInt32LE(stat.uid, 68);
  out.writeUInt32LE(stat.gid, 72);
  out.writeUInt32LE(stat.blksize, 80);
  return out;
}

/** `struct fuse_entry_out`. `validSeconds`: how long the kernel may cache name and attributes. */
export function encodeEntry(node: bigint, stat: Stat, validSeconds: number): Buffer {
  const out = Buffer.alloc(40);
  out.writeBigUInt64LE(node, 0);
  out.writeBigUInt64LE(BigInt(validSeconds), 16);
  out.writeBigUInt64LE(BigInt(validSeconds), 24);
  return Buffer.concat([out, encodeAttr(node, stat)]);
}

/** `struct fuse_attr_out`. */
export function encodeAttributes(node: bigint, stat: Stat, validSeconds: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigUInt64LE(BigInt(validSeconds), 0);
  return Buffer.concat([out, encodeAttr(node, stat)]);
}

/** `struct fuse_statfs_out`. */
export function encodeStatfs(value: Statfs): Buffer {
  const out = Buffer.alloc(80);
  for (const [index, count] of [value.blocks, value.bfree, value.bavail, value.files, value.ffree].entries())
    out.writeBigUInt64LE(BigInt(count), 8 * index);
  out.writeUInt32LE(value.bsize, 40);
  out.writeUInt32LE(value.namemax, 44);
  out.writeUInt32LE(value.frsize, 48);
  return out;
}

/** Names from an offset on (`struct fuse_dirent`), as many as fit. The kernel asks for their types later. */
export function encodeDirectory(names: readonly string[], offset: number, maxBytes: number): Buffer {
  const entries: Buffer[] = [];
  let length = 0;
  for (const [index, text] of names.entries()) {
    if (index < offset) continue;
    const name = Buffer.from(text);
    const entry = Buffer.alloc((24 + name.length + 7) & ~7);
    // Any inode number except 0, which marks a removed entry.
    entry.writeBigUInt64LE(BigInt(index + 1), 0);
    entry.writeBigUInt64LE(BigInt(index + 1), 8);
    entry.writeUInt32LE(name.length, 16);
    name.copy(entry, 24);
    if (length + entry.length > maxBytes) break;
    entries.push(entry);
    length += entry.length;
  }
  return Buffer.concat(entries);
}

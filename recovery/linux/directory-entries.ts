/** A name in a directory, as bytes that end in NUL. */
export interface DirectoryEntry {
  readonly name: Buffer;
  readonly inode: number;
  readonly kind: 'file' | 'unknown' | 'other';
}

const DT_UNKNOWN = 0;
const DT_REG = 8;

/** Reads what one getdents64 gave, `man 2 getdents`: `used` bytes of `buffer`. A damaged rest is left out. */
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

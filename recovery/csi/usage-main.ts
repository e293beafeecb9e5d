/**
 * Reads the usage of filesystems in a separate process, because statfs(2) waits for the FUSE daemon, possibly forever.
 *
 * stdin: one path per line, as JSON; stdout: one `UsageResponse` per line, in the same order. Exits when stdin closes.
 */
import { readSync, type StatsFs, statfsSync, writeSync } from 'node:fs';
import type { UsageResponse } from './usage-reader.ts';

function readUsage(path: string): UsageResponse {
  try {
    return { usage: toUsage(statfsSync(path)) };
  } catch (error) {
    return { errno: error instanceof Error && 'code' in error ? String(error.code) : 'EIO' };
  }
}

function toUsage({
  bsize,
  blocks,
  bfree,
  bavail,
  files,
  ffree,
}: StatsFs): Extract<UsageResponse, { usage: object }>['usage'] {
  return [
    { unit: 'BYTES', total: blocks * bsize, available: bavail * bsize, used: (blocks - bfree) * bsize },
    { unit: 'INODES', total: files, available: ffree, used: files - ffree },
  ];
}

function main(): void {
  const buffer = Buffer.alloc(16_384);
  let rest = '';
  for (let read = readSync(0, buffer); read > 0; read = readSync(0, buffer)) {
    const lines = (rest + buffer.toString('utf8', 0, read)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) writeSync(1, `${JSON.stringify(readUsage(JSON.parse(line)))}\n`);
  }
}

main();

/**
 * Says how full filesystems are: a process of its own, because statfs(2) waits for the FUSE daemon and may wait for ever.
 *
 * stdin: one path a line, as JSON; stdout: one `UsageAnswer` a line, in that order. It ends with its input.
 */
import { readSync, type StatsFs, statfsSync, writeSync } from 'node:fs';
import type { UsageAnswer } from './protocol.ts';

function answer(path: string): UsageAnswer {
  try {
    return { usage: usageOf(statfsSync(path)) };
  } catch (error) {
    return { errno: error instanceof Error && 'code' in error ? String(error.code) : 'EIO' };
  }
}

function usageOf({
  bsize,
  blocks,
  bfree,
  bavail,
  files,
  ffree,
}: StatsFs): Extract<UsageAnswer, { usage: object }>['usage'] {
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
    for (const line of lines) writeSync(1, `${JSON.stringify(answer(JSON.parse(line)))}\n`);
  }
}

main();

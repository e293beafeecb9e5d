import { setImmediate } from 'node:timers/promises';
import type { FuseOperations } from './fuse-native.ts';

const rounds = 3;

/**
 * Has each operation that a recovery asks for first answer nobody, before there is a mount: compiling them takes as long as
 * answering does, and the first reader after a crash would wait for it.
 */
export async function rehearse({ statfs, getattr, readdir, open, read }: FuseOperations): Promise<void> {
  const nobody = (): void => {};
  const room = Buffer.alloc(1);
  for (let round = 0; round < rounds; round++) {
    statfs('/', nobody);
    readdir('/', nobody);
    for (const path of ['/', '/-']) getattr(path, nobody);
    open('/-', 0, nobody);
    read('/-', 1, room, room.byteLength, 0, nobody);
    await setImmediate();
  }
}

import { answered, refused } from './answer.ts';
import type { LowerTree } from './written-tree.ts';

/** A tree with nothing in it. */
export const emptyTree: LowerTree = {
  entry: async (path) => (path === '/' ? answered({ kind: 'directory' }) : refused('ENOENT')),
  directory: async () => answered(new Map()),
  read: async () => answered(0),
};

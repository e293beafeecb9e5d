import { join } from 'node:path';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';

/** A mount of a daemon that is gone, kept because a container may have bound it. */
export interface Generation {
  readonly path: string;
  /** Mounts that stand there: the kept one, and what was stacked on it. */
  readonly layers: number;
}

const directory = '.generations';
/** Older ones are let go: a container that has bound one of them is not reached any more. */
const most = 8;

/** The generations that are kept in the shared directory, the oldest first, from the text of /proc/self/mountinfo. */
export function generationsIn(mountinfo: string, shared: string): readonly Generation[] {
  const prefix = `${join(shared, directory)}/`;
  const counts = new Map<number, number>();
  for (const { mountPoint } of parseMountinfo(mountinfo)) {
    const number = mountPoint.startsWith(prefix) ? Number(mountPoint.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(number)) counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b).map(([number, layers]) => ({ path: `${prefix}${number}`, layers }));
}

/** Where the next one is kept, and which are let go for it. */
export function nextGeneration(generations: readonly Generation[], shared: string) {
  const last = Number(generations.at(-1)?.path.split('/').at(-1) ?? 0);
  const tooMany = Math.max(0, generations.length + 1 - most);
  return {
    path: join(shared, directory, String(last + 1)),
    keep: generations.slice(tooMany),
    drop: generations.slice(0, tooMany),
  };
}

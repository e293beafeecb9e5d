import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { type FindmntRow, findmntArguments, parseFindmnt } from '../../recovery/linux/findmnt.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { pollOrLast } from '../poll.ts';

/** The mount table of a process's namespace, as lines of mountinfo. */
export function readMountTable(pid: number | 'self'): readonly string[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
}

/** Tables change while they are read. */
const stableMs = 5_000;

/**
 * The same, and read once more by findmnt, whose parser is none of ours. Unconfirmed if the table does not rest, or if `path`, a PATH,
 * has no findmnt. @throws if findmnt reads something else, so that no verdict rests on this table
 */
export async function readConfirmedTable(pid: number | 'self', path: string): Promise<readonly string[]> {
  const { lines, differences } = await pollOrLast({
    read: async () => {
      const lines = readMountTable(pid);
      const { failed, stdout } = await execa('findmnt', findmntArguments(pid), {
        env: { PATH: path },
        extendEnv: false,
        reject: false,
      });
      const isStable = isDeepStrictEqual(lines, readMountTable(pid));
      const differences = failed || !isStable ? [] : compareTables(lines, parseFindmnt(stdout));
      return { lines, differences, isDone: failed || isStable };
    },
    until: ({ isDone }) => isDone,
    timeoutMs: stableMs,
  });
  if (differences.length === 0) return lines;
  throw new Error(`findmnt and our parser read the mount table of process ${pid} differently: ${differences[0]}`);
}

/** One sentence for each mount that the two readings do not share. */
export function compareTables(lines: readonly string[], rows: readonly FindmntRow[]): readonly string[] {
  const ours = new Map(parseMountinfo(lines.join('\n')).map((mount) => [mount.id, toRow(mount)]));
  const theirs = new Map(rows.map((row) => [row.id, row]));
  const show = (row: FindmntRow | undefined) => (row === undefined ? 'no such mount' : JSON.stringify(row));
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((id) => !isDeepStrictEqual(ours.get(id), theirs.get(id)))
    .map((id) => `mount ${id}: findmnt has ${show(theirs.get(id))}, ours ${show(ours.get(id))}`);
}

function toRow(mount: ReturnType<typeof parseMountinfo>[number]): FindmntRow {
  const { id, parentId, device, root, mountPoint, fstype, options, superOptions, shared, master } = mount;
  return {
    id,
    parentId,
    device,
    root,
    mountPoint,
    options: options.toSorted().join(),
    readOnlySuperblock: superOptions.includes('ro'),
    fstype,
    propagation: `${shared === undefined ? 'private' : 'shared'}${master === undefined ? '' : ',slave'}`,
  };
}

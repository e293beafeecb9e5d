import type { Mount } from '../engine/model.ts';

/** A mount as util-linux's own parser reads it (`man 8 findmnt`). */
export interface FindmntRow extends Pick<Mount, 'id' | 'parentId' | 'root' | 'mountPoint' | 'fstype'> {
  readonly device: string;
  /** Sorted, separated by commas. */
  readonly options: string;
  readonly readOnlySuperblock: boolean;
  /** In words, without groups: `shared,slave`. */
  readonly propagation: string;
}

const columns = 'ID,PARENT,MAJ:MIN,FSROOT,TARGET,VFS-OPTIONS,FS-OPTIONS,FSTYPE,PROPAGATION';

/** Arguments with which findmnt prints the mount table of a process. */
export function findmntArguments(pid: number | 'self'): readonly string[] {
  const task = pid === 'self' ? [] : [`--task=${pid}`];
  return ['--kernel', '--list', '--json', ...task, `--output=${columns}`];
}

export function parseFindmnt(json: string): readonly FindmntRow[] {
  const { filesystems }: { readonly filesystems: readonly Readonly<Record<string, string | number>>[] } =
    JSON.parse(json);
  return filesystems.map((row) => ({
    id: Number(row.id),
    parentId: Number(row.parent),
    device: String(row['maj:min']).trim(),
    root: String(row.fsroot),
    mountPoint: String(row.target),
    options: String(row['vfs-options']).split(',').toSorted().join(),
    readOnlySuperblock: String(row['fs-options']).split(',').includes('ro'),
    fstype: String(row.fstype),
    propagation: String(row.propagation),
  }));
}

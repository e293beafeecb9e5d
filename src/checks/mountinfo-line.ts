/** What the checks need of a line of mountinfo (`man 5 proc_pid_mountinfo`). */
export interface MountLine {
  readonly id: number;
  readonly parentId: number;
  readonly device: string;
  readonly root: string;
  readonly mountPoint: string;
  /** Of the mount, not of the superblock. */
  readonly options: string;
  readonly fstype: string;
  /** By the mount's own options, or by its superblock's: nobody can write either way. */
  readonly readOnly: boolean;
}

/** Undefined where it is no such line. */
export function parseMountLine(line: string): MountLine | undefined {
  const [left = '', right = ''] = line.split(' - ', 2);
  const [id, parentId, device, root, mountPoint, options] = left.split(' ');
  const [fstype, , superOptions = ''] = right.split(' ');
  if (device === undefined || root === undefined || mountPoint === undefined || options === undefined || !fstype)
    return;
  const plain = (text: string) =>
    text.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: plain(root),
    mountPoint: plain(mountPoint),
    options,
    fstype,
    readOnly: isReadOnly(options) || isReadOnly(superOptions),
  };
}

/** `options`: separated by commas. */
export const isReadOnly = (options: string): boolean => options.split(',').includes('ro');

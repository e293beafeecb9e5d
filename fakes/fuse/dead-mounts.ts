import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

/** Counts the FUSE mounts at a path in the text of /proc/self/mountinfo. */
export function countFuseMounts(mountinfo: string, path: string): number {
  const field = path.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  let count = 0;
  for (let at = mountinfo.indexOf(` ${field} `); at !== -1; at = mountinfo.indexOf(` ${field} `, at + 1)) {
    const line = mountinfo.slice(
      mountinfo.lastIndexOf('\n', at) + 1,
      (mountinfo.indexOf('\n', at) + 1 || Infinity) - 1,
    );
    const [, , , , mountPoint] = line.split(' ', 5);
    if (mountPoint === field && / - fuse(\.\S+)? /.test(line)) count++;
  }
  return count;
}

/** Detaches the dead mounts at the mount point. Returns their number, or a sentence if one of them is live. */
export async function detachDead({
  mountpoint,
  detach,
}: {
  readonly mountpoint: string;
  readonly detach: (path: string) => number | undefined | Promise<number | undefined>;
}): Promise<number | string> {
  const mounts = countFuseMounts(readFileSync('/proc/self/mountinfo', 'utf8'), mountpoint);
  for (let done = 0; done < mounts; done++) {
    if (await isAlive(mountpoint)) return `a living FUSE filesystem is mounted at ${mountpoint}`;
    const errno = await detach(mountpoint);
    if (errno !== undefined) return `the dead mount at ${mountpoint} cannot be detached: errno ${errno}`;
  }
  return mounts;
}

/** Whether the file system at a path answers. It is called in another thread, because this process may be serving it. */
export async function isAlive(path: string): Promise<boolean> {
  try {
    await statfs(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOTCONN' && code !== 'ECONNABORTED';
  }
}

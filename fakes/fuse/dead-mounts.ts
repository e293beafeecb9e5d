import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

/** How many FUSE mounts stand at a path, according to the text of /proc/self/mountinfo. */
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

export interface DetachOptions {
  readonly mountpoint: string;
  readonly detach: (path: string) => number | undefined | Promise<number | undefined>;
}

/** Detaches what dead daemons left at the mount point, top first. Gives how many, or a sentence where a live one is there. */
export async function detachDead({ mountpoint, detach }: DetachOptions): Promise<number | string> {
  const mounts = countFuseMounts(readFileSync('/proc/self/mountinfo', 'utf8'), mountpoint);
  for (let done = 0; done < mounts; done++) {
    if (await isAlive(mountpoint)) return `a living FUSE filesystem is mounted at ${mountpoint}`;
    const errno = await detach(mountpoint);
    if (errno !== undefined) return `the dead mount at ${mountpoint} cannot be detached: errno ${errno}`;
  }
  return mounts;
}

/** Whether a filesystem answers there. Asks it, in another thread: it could be one that the caller serves. */
export async function isAlive(path: string): Promise<boolean> {
  try {
    await statfs(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOTCONN' && code !== 'ECONNABORTED';
  }
}

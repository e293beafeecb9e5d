import { readFileSync, statfsSync } from 'node:fs';

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
  readonly detach: (path: string) => number | undefined;
}

/** Detaches what dead daemons left at the mount point, top first. Gives how many, or a sentence where a live one is there. */
export function detachDead({ mountpoint, detach }: DetachOptions): number | string {
  const mounts = countFuseMounts(readFileSync('/proc/self/mountinfo', 'utf8'), mountpoint);
  for (let done = 0; done < mounts; done++) {
    if (isAlive(mountpoint)) return `a living FUSE filesystem is mounted at ${mountpoint}`;
    const errno = detach(mountpoint);
    if (errno !== undefined) return `the dead mount at ${mountpoint} cannot be detached: errno ${errno}`;
  }
  return mounts;
}

/** Whether a filesystem answers there. Asks it. */
export function isAlive(path: string): boolean {
  try {
    statfsSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOTCONN' && code !== 'ECONNABORTED';
  }
}

import { constants } from 'node:os';

const names = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  // Two names share a number: the kernel's own is the one to show.
  if (!names.has(number) || name === 'EAGAIN' || name === 'EOPNOTSUPP') names.set(number, name);
}

/** The kernel's name of an errno: `ENOTCONN` for 107; `E<number>` where Node does not know it. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/** The errno name of an exception that Node's own calls throw. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return errnoName(-error.errno);
  return 'EIO';
}

import { fstatSync, readSync } from 'node:fs';
import type { Result } from '../../engine/ports.ts';
import { loadSyscalls } from '../load-syscalls.ts';
import { errnoOf } from '../result.ts';
import {
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  type Syscalls,
} from '../syscalls.ts';

/**
 * A request for what only a disk can answer, one line of JSON. `read`: the text of a file below a directory, in the same mount and
 * through no symbolic link. `resolve`: the mount to which a path leads in a root directory. Both directories are paths of /proc.
 */
export type LookUpRequest =
  | { readonly read: string; readonly below: string }
  | { readonly resolve: string; readonly root: string };

export type LookUpResponse =
  | { readonly text: string }
  | { readonly mountId: number }
  | { readonly errno: string; readonly call: string };

/** No record of the kubelet is that long. */
const maxBytes = 65_536;

export function answerLookUp(request: LookUpRequest, sys: Syscalls = loadSyscalls()): LookUpResponse {
  const opened = 'read' in request ? openFile(sys, request) : openResolved(sys, request);
  if (!opened.ok) return { errno: opened.failure.errno, call: opened.failure.call };
  try {
    if ('read' in request) return readText(opened.value);
    const identity = sys.identify(opened.value);
    if (!identity.ok) return { errno: identity.failure.errno, call: identity.failure.call };
    // A directory inside a mount is no mount site.
    return identity.value.isMountRoot ? { mountId: identity.value.mountId } : { errno: 'EINVAL', call: 'statx' };
  } finally {
    sys.close(opened.value);
  }
}

/** RESOLVE_NO_XDEV keeps it in the mount of the directory, so that nothing mounted below is read instead. */
function openFile(sys: Syscalls, { read, below }: Extract<LookUpRequest, { read: string }>): Result<number> {
  return under(sys, below, (at) => {
    const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    return sys.openat2({ at, path: read, flags: O_NONBLOCK, resolve });
  });
}

function openResolved(
  sys: Syscalls,
  { resolve: path, root }: Extract<LookUpRequest, { resolve: string }>,
): Result<number> {
  return under(sys, root, (at) =>
    sys.openat2({ at, path, flags: O_PATH, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS }),
  );
}

function under(sys: Syscalls, directory: string, open: (at: number) => Result<number>): Result<number> {
  const at = sys.open(directory, O_PATH | O_DIRECTORY);
  if (!at.ok) return at;
  const opened = open(at.value);
  sys.close(at.value);
  return opened;
}

function readText(fd: number): LookUpResponse {
  try {
    if (!fstatSync(fd).isFile()) return { errno: 'EINVAL', call: 'fstat' };
    const buffer = Buffer.alloc(maxBytes);
    const read = readSync(fd, buffer, 0, maxBytes, 0);
    return read === maxBytes ? { errno: 'EFBIG', call: 'read' } : { text: buffer.toString('utf8', 0, read) };
  } catch (error) {
    return { errno: errnoOf(error), call: 'read' };
  }
}

import type { Result } from '../../engine/ports.ts';
import { loadSyscalls } from '../libc.ts';
import { O_PATH, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../syscalls.ts';

/** A way to walk below a descriptor of the parent's, or that what was found last may be let go of. */
export type WalkRequest = { readonly at: number; readonly path: string } | { readonly release: true };

/**
 * Walks for the parent process, and holds what it found so that the parent can take it over through /proc. The answer is the
 * descriptor's number, or an errno; none to a release.
 */
export function createWalk(parent: number): (request: WalkRequest) => string | undefined {
  const sys = loadSyscalls();
  let held: Result<number> | undefined;
  return (request) => {
    if (held?.ok) sys.close(held.value);
    held = undefined;
    if ('release' in request) return undefined;
    const start = sys.open(`/proc/${parent}/fd/${request.at}`, O_PATH);
    if (!start.ok) return start.failure.errno;
    const resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
    held = sys.openat2({ at: start.value, path: request.path, flags: O_PATH, resolve });
    sys.close(start.value);
    return held.ok ? String(held.value) : held.failure.errno;
  };
}

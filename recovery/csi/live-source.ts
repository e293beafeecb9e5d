import { posix } from 'node:path';
import type { Failure, LiveSource, Mount, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-tree.ts';
import type { ClockPort, KernelPort } from '../engine/ports.ts';
import { type Answer, answered, type Refusal, refused } from './status.ts';
import type { VolumeSource } from './volume-context.ts';

/** How long one read of a source may take before it counts as hung. */
const readDeadline = 1_000_000_000n;
/** How often a source that is mounted but does not answer is asked again; a change of the mount table comes at once. */
const askAgain = 250_000_000n;

export interface SourceWait {
  readonly kernel: Pick<KernelPort, 'hostMounts' | 'read' | 'watchMounts'>;
  readonly clock: ClockPort;
  readonly source: VolumeSource;
  /** When to give up. */
  readonly until: Nanoseconds;
  /** Aborted when the caller no longer wants the answer. */
  readonly signal: AbortSignal;
}

/**
 * Waits until a daemon serves the volume: a FUSE filesystem is mounted at the path and a read through it works.
 * A directory that nothing is mounted on is never taken for the volume. At the deadline: FAILED_PRECONDITION where nothing
 * is mounted, UNAVAILABLE where the mount is dead, DEADLINE_EXCEEDED where it does not answer.
 */
export async function awaitLiveSource(wait: SourceWait): Promise<Answer<LiveSource>> {
  for (;;) {
    const change = changed(wait);
    try {
      const seen = await look(wait);
      if (seen.ok || seen.code === 'NOT_FOUND' || seen.code === 'INTERNAL') return seen;
      if (wait.signal.aborted) return refused('CANCELLED', 'the caller no longer waits');
      if (wait.clock.now() >= wait.until) return seen;
      await change.happened;
    } finally {
      change[Symbol.dispose]();
    }
  }
}

/** The mount that shows at the path, if it is a daemon's. */
export function sourceMount(table: readonly Mount[], path: string): Mount | undefined {
  const top = new MountTree(table).top(path);
  return top !== undefined && isFuse(top) ? top : undefined;
}

/** What is to be published of a source: the mount's own root, and the subdirectory below it. */
export function liveSource(mount: Mount, { path, subdirectory }: VolumeSource): LiveSource {
  return { path, device: mount.device, root: posix.join(mount.root, subdirectory) };
}

async function look({ kernel, clock, source, until }: SourceWait): Promise<Answer<LiveSource>> {
  const table = kernel.hostMounts();
  if (!table.ok) return refused('INTERNAL', `cannot read the node's mount table: ${said(table.failure)}`);
  const mount = sourceMount(table.value, source.path);
  if (mount === undefined) {
    return refused('FAILED_PRECONDITION', `no FUSE filesystem is mounted at ${source.path}: its daemon is not up`);
  }
  const read = (path: string) => {
    const latest = (clock.now() + readDeadline) as Nanoseconds;
    const deadline = latest < until ? latest : until;
    return kernel.read({ site: { kind: 'source', path }, device: mount.device, deadline });
  };
  const answer = await read(source.path);
  if (!answer.ok) return notLive(source.path, answer.failure);
  if (answer.value !== mount.device) {
    return refused('UNAVAILABLE', `the mount at ${source.path} was replaced while it was read`);
  }
  if (source.subdirectory !== '') {
    const path = posix.join(source.path, source.subdirectory);
    const below = await read(path);
    if (!below.ok && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(below.failure.errno)) {
      return refused(
        'NOT_FOUND',
        `"${source.subdirectory}" is not a directory of the volume mounted at ${source.path}`,
      );
    }
    if (!below.ok) return notLive(path, below.failure);
  }
  return answered(liveSource(mount, source));
}

function notLive(path: string, failure: Failure): Refusal {
  return failure.errno === 'ETIMEDOUT'
    ? refused('DEADLINE_EXCEEDED', `the FUSE daemon of ${path} does not answer`)
    : refused('UNAVAILABLE', `the FUSE mount at ${path} is not served: ${said(failure)}`);
}

/** A failure in one clause. */
export function said({ errno, call, path }: Failure): string {
  return `${call} ${path}: ${errno}`;
}

function changed({ kernel, clock, until, signal }: SourceWait): Disposable & { readonly happened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const left = until - clock.now();
  using parts = new DisposableStack();
  parts.use(kernel.watchMounts(resolve));
  parts.use(clock.after((left < askAgain ? left : askAgain) as Nanoseconds, resolve));
  signal.addEventListener('abort', () => resolve(), { once: true });
  const kept = parts.move();
  return { happened: promise, [Symbol.dispose]: () => kept.dispose() };
}

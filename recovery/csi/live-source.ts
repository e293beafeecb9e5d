import { posix } from 'node:path';
import { questionTo } from '../engine/liveness.ts';
import type { Failure, Liveness, LiveSource, Mount, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-sites.ts';
import type { ClockPort, KernelPort } from '../engine/ports.ts';
import { type CsiRejection, type CsiResult, rejected, succeeded } from './status.ts';
import type { VolumeSource } from './volume-source.ts';

/** A source that does not answer within this time is asked again. */
const answerTimeout = 1_000_000_000n;
/** How often a mounted source that does not answer is asked again. Changes of the mount table are noticed at once. */
const retryDelay = 250_000_000n;

export interface SourceWait {
  readonly kernel: Pick<KernelPort, 'hostMounts' | 'ask' | 'watchMounts'>;
  readonly clock: ClockPort;
  readonly source: VolumeSource;
  /** When to give up. */
  readonly until: Nanoseconds;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
}

/**
 * Waits until a daemon serves the volume: a FUSE filesystem is mounted at the path and answers statfs. Nothing is listed or read, as
 * that may take minutes and loads the store. A directory without a mount never counts as the volume. At the deadline it rejects with FAILED_PRECONDITION if nothing is mounted, UNAVAILABLE if the
 * mount is dead, and DEADLINE_EXCEEDED if it does not answer.
 */
export async function awaitLiveSource(wait: SourceWait): Promise<CsiResult<LiveSource>> {
  for (;;) {
    using change = watchForChange(wait);
    const result = await checkSource(wait);
    if (result.ok || result.code === 'INTERNAL') return result;
    if (wait.signal.aborted) return rejected('CANCELLED', 'the caller has hung up');
    if (wait.clock.now() >= wait.until) return result;
    await change.promise;
  }
}

/** Settles at a change of the mount table, after the retry delay, at the deadline, or when the caller hangs up. */
function watchForChange({
  kernel,
  clock,
  until,
  signal,
}: SourceWait): Disposable & { readonly promise: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const remaining = until - clock.now();
  using parts = new DisposableStack();
  parts.use(kernel.watchMounts(resolve));
  parts.use(clock.after((remaining < retryDelay ? remaining : retryDelay) as Nanoseconds, resolve));
  const onAbort = () => resolve();
  signal.addEventListener('abort', onAbort);
  parts.defer(() => signal.removeEventListener('abort', onAbort));
  const moved = parts.move();
  return { promise, [Symbol.dispose]: () => moved.dispose() };
}

/** The topmost mount at the path if it is a FUSE mount. */
export function sourceMount(table: readonly Mount[], path: string): Mount | undefined {
  const top = new MountTree(table).top(path);
  return top !== undefined && isFuse(top) ? top : undefined;
}

async function checkSource({ kernel, clock, source, until }: SourceWait): Promise<CsiResult<LiveSource>> {
  const table = kernel.hostMounts();
  if (!table.ok) return rejected('INTERNAL', `cannot read the node's mount table: ${formatFailure(table.failure)}`);
  const mount = sourceMount(table.value, source.path);
  if (mount === undefined) {
    return rejected('FAILED_PRECONDITION', `no FUSE filesystem is mounted at ${source.path}: its daemon is not up`);
  }
  const latest = (clock.now() + answerTimeout) as Nanoseconds;
  const deadline = latest < until ? latest : until;
  const answer = await kernel.ask({ ...questionTo({ kind: 'source', path: source.path }, mount), deadline });
  if (answer.status !== 'live') return notLive(source.path, answer);
  return succeeded({
    path: source.path,
    device: mount.device,
    root: posix.join(mount.root, source.subdirectory),
  });
}

function notLive(path: string, answer: Exclude<Liveness, { status: 'live' }>): CsiRejection {
  switch (answer.status) {
    case 'hung':
      return rejected('DEADLINE_EXCEEDED', `the FUSE daemon of ${path} does not answer`);
    case 'dead':
      return rejected('UNAVAILABLE', `the FUSE mount at ${path} is not served: ${answer.errno}`);
    case 'unknown':
      return rejected('UNAVAILABLE', `the FUSE mount at ${path} could not be asked: ${answer.errno}`);
  }
}

export function formatFailure({ errno, call, path }: Failure): string {
  return `${call} ${path}: ${errno}`;
}

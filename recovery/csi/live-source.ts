import { posix } from 'node:path';
import { questionTo } from '../engine/liveness.ts';
import type { Failure, Liveness, LiveSource, Mount, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-sites.ts';
import type { ClockPort, KernelPort } from '../engine/ports.ts';
import { type CsiRejection, type CsiResult, rejected, succeeded } from './status.ts';
import type { VolumeSource } from './volume-source.ts';

/** After how long a source that is not live is asked again. Changes of the mount table are noticed at once. */
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
 * that may take minutes and loads the store. A directory without a mount never counts as the volume. A daemon that takes long is asked
 * only once, unless another one is mounted in its place. At the deadline it rejects with FAILED_PRECONDITION if nothing is mounted,
 * UNAVAILABLE if the mount is dead, and DEADLINE_EXCEEDED if it does not answer.
 */
export async function awaitLiveSource(wait: SourceWait): Promise<CsiResult<LiveSource>> {
  const { kernel, clock, source, until, signal } = wait;
  let asked: { readonly mount: number; readonly answer: Promise<Liveness> } | undefined;
  for (;;) {
    using change = watchForChange(wait);
    const found = findSource(wait);
    let result: CsiResult<LiveSource> = found.ok ? notLive(source.path, hung) : found;
    if (found.ok) {
      const mount = found.value;
      const question = questionTo({ kind: 'source', path: source.path }, mount);
      if (asked?.mount !== mount.id) asked = { mount: mount.id, answer: kernel.ask({ ...question, deadline: until }) };
      const answer = await Promise.race([asked.answer, change.promise]);
      if (answer !== undefined) asked = undefined;
      if (answer?.status === 'live') return succeeded(toLiveSource(mount, source));
      if (answer !== undefined) result = notLive(source.path, answer);
    } else if (found.code === 'INTERNAL') return found;
    if (signal.aborted) return rejected('CANCELLED', 'the caller has hung up');
    if (clock.now() >= until) return result;
    await change.promise;
  }
}

const hung = { status: 'hung' } as const;

/** Settles at a change of the mount table, after the retry delay, at the deadline, or when the caller hangs up. */
function watchForChange({
  kernel,
  clock,
  until,
  signal,
}: SourceWait): Disposable & { readonly promise: Promise<undefined> } {
  const { promise, resolve: settle } = Promise.withResolvers<undefined>();
  const resolve = () => settle(undefined);
  const remaining = until - clock.now();
  using parts = new DisposableStack();
  parts.use(kernel.watchMounts(resolve));
  parts.use(clock.after((remaining < retryDelay ? remaining : retryDelay) as Nanoseconds, resolve));
  signal.addEventListener('abort', resolve);
  parts.defer(() => signal.removeEventListener('abort', resolve));
  const moved = parts.move();
  return { promise, [Symbol.dispose]: () => moved.dispose() };
}

/** The topmost mount at the path if it is a FUSE mount. */
export function sourceMount(table: readonly Mount[], path: string): Mount | undefined {
  const top = new MountTree(table).top(path);
  return top !== undefined && isFuse(top) ? top : undefined;
}

function findSource({ kernel, source: { path } }: SourceWait): CsiResult<Mount> {
  const table = kernel.hostMounts();
  if (!table.ok) return rejected('INTERNAL', `cannot read the node's mount table: ${formatFailure(table.failure)}`);
  const mount = sourceMount(table.value, path);
  if (mount !== undefined) return succeeded(mount);
  return rejected('FAILED_PRECONDITION', `no FUSE filesystem is mounted at ${path}: its daemon is not up`);
}

function toLiveSource({ device, root }: Mount, { path, subdirectory }: VolumeSource): LiveSource {
  return { path, device, root: posix.join(root, subdirectory) };
}

function notLive(path: string, answer: typeof hung | Exclude<Liveness, { status: 'live' }>): CsiRejection {
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

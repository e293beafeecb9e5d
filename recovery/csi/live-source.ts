import { posix } from 'node:path';
import { questionTo } from '../engine/liveness.ts';
import type { Failure, Liveness, LiveSource, Mount, Nanoseconds } from '../engine/model.ts';
import { MountTree, mayBeSource } from '../engine/mount-sites.ts';
import type { ClockPort, KernelPort } from '../engine/ports.ts';
import { type CsiRejection, type CsiResult, rejected, succeeded } from './status.ts';
import type { VolumeSource } from './volume-source.ts';

/** After how long a source that is not live is asked again. Changes of the mount table are noticed at once. */
const retryDelay = 250_000_000n;

export interface SourceWait {
  readonly kernel: Pick<KernelPort, 'hostMounts' | 'ask' | 'watchMounts'>;
  readonly clock: ClockPort;
  readonly source: VolumeSource;
  /** The paths of the volume's source mounts in the node's table, best first; by default only the ordinary one. */
  readonly paths?: (table: readonly Mount[]) => readonly string[];
  /** When to give up. */
  readonly until: Nanoseconds;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
}

/** A source mount that is being asked, or has answered. */
interface AskedSource {
  readonly mount: Mount;
  readonly path: string;
  readonly promise: Promise<Liveness>;
  answer?: Liveness;
}

/**
 * Waits until the volume is served: a FUSE filesystem, or one of a network, is mounted at one of its paths and answers statfs. Nothing is listed or
 * read, as that may take minutes and loads the store. A directory without a mount never counts as the volume. A daemon that takes long
 * is asked only once, unless another one is mounted in its place, and a standby is taken meanwhile. At the deadline it rejects with
 * FAILED_PRECONDITION if nothing is mounted, UNAVAILABLE if the mount is dead, and DEADLINE_EXCEEDED if it does not answer.
 */
export async function awaitLiveSource(wait: SourceWait): Promise<CsiResult<LiveSource>> {
  const { clock, source, until, signal } = wait;
  let asked: readonly AskedSource[] = [];
  for (;;) {
    using change = watchForChange(wait);
    const found = findSources(wait);
    if (!found.ok) return found;
    asked = found.value.map((each) => ask(wait, each, asked));
    await Promise.race([firstLive(asked), change.promise]);
    let result: CsiResult<LiveSource> | undefined;
    for (const each of asked) {
      if (each.answer?.status === 'live') return succeeded(toLiveSource(each, source));
      result ??= notLive(each.path, each.answer ?? hung);
    }
    result ??= notMounted(source);
    asked = asked.filter(({ answer }) => answer === undefined);
    if (signal.aborted) return rejected('CANCELLED', 'the caller has hung up');
    if (clock.now() >= until) return result;
    await change.promise;
  }
}

function ask(
  { kernel, until }: SourceWait,
  { path, mount }: Pick<AskedSource, 'path' | 'mount'>,
  before: readonly AskedSource[],
): AskedSource {
  const known = before.find((each) => each.mount.id === mount.id && each.path === path);
  if (known !== undefined) return known;
  const promise = kernel.ask({ ...questionTo({ kind: 'source', path }, mount), deadline: until });
  const asked: AskedSource = { path, mount, promise };
  void promise.then((answer) => {
    asked.answer = answer;
  });
  return asked;
}

/** Resolves once the best live source is known, or all have answered; never if there is none. */
async function firstLive(asked: readonly AskedSource[]): Promise<void> {
  if (asked.length === 0) return new Promise(() => {});
  for (const { promise } of asked) if ((await promise).status === 'live') return;
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

/** The topmost mount at the path if it may be a source. */
export function sourceMount(table: readonly Mount[], path: string): Mount | undefined {
  const top = MountTree.of(table).top(path);
  return top !== undefined && mayBeSource(top) ? top : undefined;
}

function findSources({
  kernel,
  source,
  paths = () => [source.path],
}: SourceWait): CsiResult<readonly Pick<AskedSource, 'path' | 'mount'>[]> {
  const table = kernel.hostMounts();
  if (!table.ok) return rejected('INTERNAL', `cannot read the node's mount table: ${formatFailure(table.failure)}`);
  return succeeded(
    paths(table.value).flatMap((path) => {
      const mount = sourceMount(table.value, path);
      return mount === undefined ? [] : [{ path, mount }];
    }),
  );
}

const notMounted = ({ path }: VolumeSource) =>
  rejected('FAILED_PRECONDITION', `no FUSE filesystem is mounted at ${path}: its daemon is not up`);

function toLiveSource({ path, mount: { device, root } }: AskedSource, { subdirectory }: VolumeSource): LiveSource {
  return { path, device, root: posix.join(root, subdirectory) };
}

function notLive(path: string, answer: typeof hung | Exclude<Liveness, { status: 'live' }>): CsiRejection {
  switch (answer.status) {
    case 'hung':
    case 'kept':
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

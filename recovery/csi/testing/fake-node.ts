import type { DeviceId, Failure, FilesystemUsage, Liveness, Mount, Nanoseconds } from '../../engine/model.ts';
import type { ClockPort, Result, VolumeLocks } from '../../engine/ports.ts';
import type { Publisher } from '../../linux/publish.ts';
import type { CsiKernel } from '../publish.ts';

/** A clock for tests that stands still until it is advanced. */
export class FakeClock implements ClockPort {
  #now = 1_000_000_000n;
  readonly #timers = new Set<{ readonly at: bigint; readonly callback: () => void }>();

  now(): Nanoseconds {
    return this.#now as Nanoseconds;
  }

  after(delay: Nanoseconds, callback: () => void): Disposable {
    const timer = { at: this.#now + delay, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  get waiting(): number {
    return this.#timers.size;
  }

  advance(by: bigint): void {
    this.#now += by;
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

/** A mount table in memory for tests, with the operations of the CSI services. */
export class FakeNode implements CsiKernel, Publisher {
  readonly tier = '6.5';
  table: Mount[] = [];
  /** Where the kubelet's directory is if its path is a link. */
  kubeletRoot = '/var/lib/kubelet';
  /** Answers by path; `live` by default. */
  readonly answers = new Map<string, Liveness>();
  /** Paths whose daemon never answers. */
  readonly silent = new Set<string>();
  /** Directories that the volumes lack. */
  readonly missing = new Set<string>();
  /** Answers wait for this promise. */
  answerGate: Promise<void> = Promise.resolve();
  asked = 0;
  usage: FilesystemUsage = { totalBytes: 100, availableBytes: 60, usedBytes: 30, inodes: 8, freeInodes: 7 };
  readonly directories = new Set<string>();
  readonly calls: string[] = [];
  /** Runs once, immediately before the next publish or replacement. */
  beforeMount: () => void = () => {};
  readonly #watchers = new Set<() => void>();
  #nextId = 100;

  get watchers(): number {
    return this.#watchers.size;
  }

  mount({ path, device, ...rest }: { path: string; device: string } & Partial<Omit<Mount, 'device'>>): Mount {
    const top = this.stack(path).at(-1);
    const mount: Mount = {
      id: this.#nextId++,
      parentId: top?.id ?? 1,
      device: device as DeviceId,
      root: '/',
      mountPoint: path,
      options: ['rw'],
      fstype: 'fuse.jindofs-fuse',
      mountSource: 'jindofs-fuse',
      superOptions: ['ro'],
      ...rest,
    };
    this.#set([...this.table, mount]);
    return mount;
  }

  unmountAll(path: string): void {
    this.#set(this.table.filter(({ mountPoint }) => mountPoint !== path));
  }

  stack(path: string): Mount[] {
    return this.table.filter(({ mountPoint }) => mountPoint === path);
  }

  kubeletDirectory(): string {
    return this.kubeletRoot;
  }

  hostMounts(): Result<readonly Mount[]> {
    return { ok: true, value: this.table };
  }

  async ask({ site }: Parameters<CsiKernel['ask']>[0]): Promise<Liveness> {
    this.asked++;
    await this.answerGate;
    if (this.silent.has(site.path)) return new Promise(() => {});
    return this.answers.get(site.path) ?? { status: 'live', usage: this.usage };
  }

  watchMounts(changed: () => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
  }

  publish({ source, target, readOnly }: { source: string; target: string; readOnly: boolean }): Result<void> {
    this.#interrupt();
    if (this.missing.has(source)) return failed('ENOENT', 'openat2', source, 'clone-source');
    this.calls.push(`publish ${source} ${target} ${readOnly ? 'ro' : 'rw'}`);
    this.directories.add(target);
    const mount = this.table.findLast(({ mountPoint }) => source === mountPoint || source.startsWith(`${mountPoint}/`));
    // Like a bind mount: the mount at the source, or the directory of the node's own filesystem.
    const options = [readOnly ? 'ro' : 'rw'];
    if (mount === undefined) this.mount({ path: target, device: '8:1', root: source, fstype: 'ext4', options });
    else {
      const root = source.slice(mount.mountPoint.length) || '/';
      // A clone keeps the flags of its source.
      this.mount({
        path: target,
        device: mount.device,
        root,
        fstype: mount.fstype,
        options: mount.options.includes('ro') ? ['ro'] : options,
      });
    }
    return { ok: true, value: undefined };
  }

  replaceAll: CsiKernel['replaceAll'] = (replacements) =>
    replacements.map(({ kind, site, source, readOnly, stack }) => {
      this.#interrupt();
      this.calls.push(`${kind} ${site.path} ${readOnly ? 'ro' : 'rw'}`);
      this.unmountAll(site.path);
      const options = [readOnly ? 'ro' : 'rw'];
      this.mount({ path: site.path, device: source.device, root: source.root, options });
      return { ok: true, value: { site, took: 1n as Nanoseconds, layers: [stack.length, 1] } };
    });

  unpublish(target: string): Result<void> {
    this.calls.push(`unpublish ${target}`);
    this.unmountAll(target);
    return { ok: true, value: undefined };
  }

  removeTarget(target: string): Result<void> {
    this.calls.push(`rmdir ${target}`);
    this.directories.delete(target);
    return { ok: true, value: undefined };
  }

  #interrupt(): void {
    const { beforeMount } = this;
    this.beforeMount = () => {};
    beforeMount();
  }

  #set(table: Mount[]): void {
    this.table = table;
    for (const changed of this.#watchers) changed();
  }
}

/** Locks in memory for tests, which can hold them. */
export class FakeLocks implements VolumeLocks {
  readonly held = new Set<string>();

  tryAcquire(handle: string): Disposable | undefined {
    if (this.held.has(handle)) return undefined;
    this.held.add(handle);
    return { [Symbol.dispose]: () => void this.held.delete(handle) };
  }
}

function failed(errno: string, call: string, path: string, step: string): { ok: false; failure: Failure } {
  return { ok: false, failure: { errno, call, path, step } };
}

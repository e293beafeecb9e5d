import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { monotonicNow } from '../../recovery/clock.ts';
import type { Mount } from '../../recovery/engine/model.ts';
import { libc } from '../../recovery/linux/libc.ts';
import { createMountinfoParser, parseMountLine } from '../../recovery/linux/mountinfo.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';

const priority = 0x02;
const closeOnExec = 0o2_000_000;

interface Table {
  readonly where: string;
  readonly path: string;
  readonly parse: ReturnType<typeof createMountinfoParser>;
  mounts: ReadonlyMap<number, Mount>;
}

/**
 * Reports mounts that are added or removed on the node and in containers, when the kernel signals it (poll, POLLPRI). An open
 * mountinfo keeps a dead pod's mounts alive, so the watch of a container must end with the container.
 */
export class MountWatch {
  readonly #onEvent: (event: HistoryEvent) => void;
  readonly #tables = new Map<number, Table>();
  /** An eventfd that interrupts the poll. */
  readonly #wake: number;
  readonly #onExit = (): void => this[Symbol.dispose]();
  #disposed = false;

  constructor(onEvent: (event: HistoryEvent) => void) {
    this.#onEvent = onEvent;
    this.#wake = libc.eventfd(0, closeOnExec);
    // Node joins the thread that waits in poll when it exits, so that wait has to end first.
    process.once('exit', this.#onExit);
    this.#wait();
  }

  /** Watches the mount table of a process's namespace. */
  watch(pid: number | 'self', where: string): Disposable {
    const path = `/proc/${pid}/mountinfo`;
    const descriptor = openSync(path, 'r');
    const parse = createMountinfoParser();
    this.#tables.set(descriptor, { where, path, parse, mounts: byId(parse(read(descriptor))) });
    libc.eventfd_write(this.#wake, 1);
    return {
      [Symbol.dispose]: () => {
        if (!this.#tables.delete(descriptor)) return;
        libc.eventfd_write(this.#wake, 1);
        closeSync(descriptor);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    process.off('exit', this.#onExit);
    for (const descriptor of this.#tables.keys()) closeSync(descriptor);
    this.#tables.clear();
    libc.eventfd_write(this.#wake, 1);
  }

  #wait(): void {
    if (this.#disposed) return;
    const descriptors = [...this.#tables.keys()];
    const structures = Buffer.alloc(8 * (descriptors.length + 1));
    [this.#wake, ...descriptors].forEach((descriptor, index) => {
      structures.writeInt32LE(descriptor, index * 8);
      structures.writeInt16LE(index === 0 ? 1 : priority, index * 8 + 4);
    });
    libc.poll.async(structures, descriptors.length + 1, -1, () => {
      const at = monotonicNow();
      if (structures.readInt16LE(6) !== 0) libc.eventfd_read(this.#wake, [0n]);
      descriptors.forEach((descriptor, index) => {
        if (structures.readInt16LE((index + 1) * 8 + 6) !== 0) this.#changed(descriptor, at);
      });
      this.#wait();
    });
  }

  #changed(descriptor: number, at: number): void {
    const table = this.#tables.get(descriptor);
    if (!table) return;
    const mounts = byId(table.parse(reread(table.path) ?? read(descriptor)));
    const report = (change: 'added' | 'removed', { id, device, mountPoint, fstype, options, superOptions }: Mount) =>
      this.#onEvent({
        kind: 'mount',
        at,
        where: table.where,
        change,
        id,
        device,
        mountPoint,
        fstype,
        options: options.join(','),
        ...(superOptions.includes('ro') && { readOnlySuperblock: true }),
      });
    // The kernel reuses the id of a removed mount.
    const contains = (table: ReadonlyMap<number, Mount>, { id, device, mountPoint }: Mount) => {
      const same = table.get(id);
      return same?.device === device && same.mountPoint === mountPoint;
    };
    const concerns = (mount: Mount) => table.where !== 'node' || !isOfContainerEngine(mount);
    for (const mount of mounts.values()) if (!contains(table.mounts, mount) && concerns(mount)) report('added', mount);
    for (const mount of table.mounts.values())
      if (!contains(mounts, mount) && concerns(mount)) report('removed', mount);
    table.mounts = mounts;
  }
}

/**
 * Reads a process's table again. An open descriptor shows mounts below the root that the process had when it was opened, and a
 * container that was starting then has another root since (pivot_root). Undefined if the process is gone.
 */
function reread(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return undefined;
  }
  const text = read(descriptor);
  closeSync(descriptor);
  return text === '' ? undefined : text;
}

const byId = (mounts: readonly Mount[]): ReadonlyMap<number, Mount> =>
  new Map(mounts.map((mount) => [mount.id, mount]));

const chunk = Buffer.alloc(65_536);

/** The current table. Empty if its process is gone. */
function read(descriptor: number): string {
  let text = '';
  let length = 0;
  const decoder = new StringDecoder('utf8');
  try {
    for (;;) {
      const count = readSync(descriptor, chunk, 0, chunk.length, length);
      if (count === 0) return text + decoder.end();
      text += decoder.write(chunk.subarray(0, count));
      length += count;
    }
  } catch {
    return '';
  }
}

/** Mounts of docker, containerd, CRI-O and podman for a container: its root, network and shared memory. */
const enginePaths = /^\/(var\/lib|run|var\/run)\/(docker|containerd|containers|crio|netns)\//;
const engineTypes: ReadonlySet<string> = new Set(['overlay', 'nsfs', 'tmpfs']);

/**
 * Whether a mount belongs to a container engine, which adds and removes it with any container of the machine. Such changes are not
 * caused by the agent.
 */
export function isOfContainerEngine({
  mountPoint,
  fstype,
}: {
  readonly mountPoint: string;
  readonly fstype: string;
}): boolean {
  return engineTypes.has(fstype) && enginePaths.test(mountPoint);
}

/** A mount table without the mounts of container engines. */
export function withoutEngineMounts(mountinfo: readonly string[]): readonly string[] {
  return mountinfo.filter((line) => {
    const mount = parseMountLine(line);
    return mount === undefined || !isOfContainerEngine(mount);
  });
}

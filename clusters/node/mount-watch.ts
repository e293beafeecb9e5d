import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
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
 * Reports each mount that comes or goes on the node and in containers, when the kernel says so (poll, POLLPRI). A held
 * mountinfo keeps a dead pod's mounts alive, so whoever watches a container has to stop when it ends.
 */
export class MountWatch {
  readonly #onEvent: (event: HistoryEvent) => void;
  readonly #tables = new Map<number, Table>();
  /** An eventfd that interrupts the poll. */
  readonly #wake: number;
  readonly #onExit = (): void => this[Symbol.dispose]();
  #over = false;

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
    this.#over = true;
    process.off('exit', this.#onExit);
    for (const descriptor of this.#tables.keys()) closeSync(descriptor);
    this.#tables.clear();
    libc.eventfd_write(this.#wake, 1);
  }

  #wait(): void {
    if (this.#over) return;
    const descriptors = [...this.#tables.keys()];
    const structures = Buffer.alloc(8 * (descriptors.length + 1));
    [this.#wake, ...descriptors].forEach((descriptor, index) => {
      structures.writeInt32LE(descriptor, index * 8);
      structures.writeInt16LE(index === 0 ? 1 : priority, index * 8 + 4);
    });
    libc.poll.async(structures, descriptors.length + 1, -1, () => {
      const at = Number(process.hrtime.bigint());
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
    const mounts = byId(table.parse(readAnew(table.path) ?? read(descriptor)));
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
    // The kernel gives an id that has become free to the next mount.
    const isIn = (those: ReadonlyMap<number, Mount>, { id, device, mountPoint }: Mount) => {
      const same = those.get(id);
      return same?.device === device && same.mountPoint === mountPoint;
    };
    const concerns = (mount: Mount) => table.where !== 'node' || !isOfContainerEngine(mount);
    for (const mount of mounts.values()) if (!isIn(table.mounts, mount) && concerns(mount)) report('added', mount);
    for (const mount of table.mounts.values()) if (!isIn(mounts, mount) && concerns(mount)) report('removed', mount);
    table.mounts = mounts;
  }
}

/**
 * As a process sees it now: what is open shows what is below the root that the process had then, and a container that was just being
 * started has another one since (pivot_root). Undefined where the process is gone.
 */
function readAnew(path: string): string | undefined {
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

/** The table as it stands; empty where its process is gone. */
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

/** What docker, containerd, CRI-O and podman mount for a container: its root, its network, its shared memory. */
const places = /^\/(var\/lib|run|var\/run)\/(docker|containerd|containers|crio|netns)\//;
const types: ReadonlySet<string> = new Set(['overlay', 'nsfs', 'tmpfs']);

/**
 * Whether a mount of a node is a container engine's, which makes and removes it for whatever container comes and goes on the
 * machine: no agent's doing, and no leak of one.
 */
export function isOfContainerEngine({
  mountPoint,
  fstype,
}: {
  readonly mountPoint: string;
  readonly fstype: string;
}): boolean {
  return types.has(fstype) && places.test(mountPoint);
}

/** A mount table without them. */
export function withoutEngineMounts(mountinfo: readonly string[]): readonly string[] {
  return mountinfo.filter((line) => {
    const mount = parseMountLine(line);
    return mount === undefined || !isOfContainerEngine(mount);
  });
}

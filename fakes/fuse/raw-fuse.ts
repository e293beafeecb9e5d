import { closeSync, openSync, read, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Fuse, FuseOperations, FuseOptions } from './fuse-native.ts';
import {
  answerTo,
  attributesAnswer,
  directoryOf,
  entryOf,
  initialised,
  maxReadBytes,
  opcode,
  type RawRequest,
  requestOf,
  statfsAnswer,
} from './raw-requests.ts';

/** `mount(2)`: undefined, or the errno's number. */
export type MountFuse = (mount: {
  readonly target: string;
  readonly fstype: string;
  readonly source: string;
  readonly data: string;
}) => number | undefined;

/** An errno, or the body of an answer; undefined where the kernel expects none. */
type Outcome = number | Buffer | undefined;

const root = 1n;
const { ENOSYS, ENOENT } = constants.errno;

/**
 * Serves the reading half of the operations on the protocol itself, because libfuse 2 does not know of idmapped mounts, which a pod
 * with users of its own has (`hostUsers: false`). What changes a file is not implemented.
 */
export class RawFuse implements Fuse {
  readonly #mountpoint: string;
  readonly #served: FuseOperations;
  readonly #options: FuseOptions;
  readonly #mountFuse: MountFuse;
  readonly #paths = new Map<bigint, string>([[root, '/']]);
  readonly #nodes = new Map<string, bigint>([['/', root]]);
  #fd = -1;

  constructor(mountpoint: string, served: FuseOperations, options: FuseOptions & { readonly mountFuse: MountFuse }) {
    this.#mountpoint = mountpoint;
    this.#served = served;
    this.#options = options;
    this.#mountFuse = options.mountFuse;
  }

  mount(done: (error: Error | null) => void): void {
    this.#fd = openSync('/dev/fuse', 'r+');
    const { fsname, subtype } = this.#options;
    const errno = this.#mountFuse({
      target: this.#mountpoint,
      fstype: `fuse.${subtype}`,
      source: fsname,
      // Without default_permissions an idmapped mount refuses everything.
      data: `fd=${this.#fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
    });
    if (errno === undefined) this.#readOn();
    done(errno === undefined ? null : new Error(`errno ${errno}`));
  }

  #readOn(): void {
    const room = Buffer.allocUnsafe(maxReadBytes + 4096);
    read(this.#fd, room, 0, room.length, null, (error, length) => {
      // The connection was aborted, or its last mount is gone: that it is closed tells the daemon.
      if (error?.code === 'ENODEV') return closeSync(this.#fd);
      if (!error) void this.#answer(requestOf(room.subarray(0, length)));
      this.#readOn();
    });
  }

  async #answer(request: RawRequest): Promise<void> {
    const outcome = await this.#outcomeOf(request);
    if (outcome === undefined) return;
    const [errno, body] = typeof outcome === 'number' ? [outcome, undefined] : [0, outcome];
    try {
      writeSync(this.#fd, answerTo(request.unique, errno, body));
    } catch (error) {
      // Who asked was interrupted, or all is over.
      if (!['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    // Idmaps are allowed from that answer on.
    if (request.opcode === opcode.init) this.#served.init(() => {});
  }

  #outcomeOf({ opcode: op, node, body }: RawRequest): Outcome | Promise<Outcome> {
    const served = this.#served;
    const path = this.#paths.get(node) ?? '/';
    const validSeconds = Number(this.#options.entryTimeout ?? 1);
    switch (op) {
      case opcode.init:
        return initialised(body);
      case opcode.lookup: {
        const name = body.toString('utf8', 0, body.indexOf(0));
        const child = path === '/' ? `/${name}` : `${path}/${name}`;
        return asked((respond) =>
          served.getattr(child, (status, stat) =>
            respond(stat ? entryOf(this.#nodeOf(child), stat, validSeconds) : -status || ENOENT),
          ),
        );
      }
      case opcode.getattr:
        return asked((respond) =>
          served.getattr(path, (status, stat) =>
            respond(stat ? attributesAnswer(node, stat, validSeconds) : -status || ENOENT),
          ),
        );
      case opcode.statfs:
        return asked((respond) =>
          served.statfs(path, (status, value) => respond(value ? statfsAnswer(value) : -status)),
        );
      case opcode.open:
        return asked((respond) => served.open(path, 0, (status) => respond(status < 0 ? -status : Buffer.alloc(16))));
      case opcode.opendir:
        return Buffer.alloc(16);
      case opcode.readdir: {
        const { offset, size } = rangeOf(body);
        return asked((respond) =>
          served.readdir(path, (status, names) => respond(names ? directoryOf(names, offset, size) : -status)),
        );
      }
      case opcode.read: {
        const { offset, size } = rangeOf(body);
        const into = Buffer.alloc(Math.min(size, maxReadBytes));
        return asked((respond) =>
          served.read(path, 1, into, into.length, offset, (status) =>
            respond(status < 0 ? -status : into.subarray(0, status)),
          ),
        );
      }
      case opcode.release:
      case opcode.releasedir:
      case opcode.flush:
      case opcode.destroy:
        return Buffer.alloc(0);
      case opcode.forget:
      case opcode.batchForget:
      case opcode.interrupt:
        return undefined;
      default:
        return ENOSYS;
    }
  }

  #nodeOf(path: string): bigint {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const node = root + BigInt(this.#nodes.size);
    this.#nodes.set(path, node);
    this.#paths.set(node, path);
    return node;
  }
}

const asked = (work: (respond: (outcome: Outcome) => void) => void): Promise<Outcome> => new Promise(work);

/** Of `struct fuse_read_in`. */
function rangeOf(body: Buffer): { readonly offset: number; readonly size: number } {
  return { offset: Number(body.readBigUInt64LE(8)), size: body.readUInt32LE(16) };
}

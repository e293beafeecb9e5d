import { createHash } from 'node:crypto';
import { closeSync, openSync, read, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { EmitEvent } from './event-lines.ts';
import type { Fuse, FuseOperations, FuseOptions } from './fuse-native.ts';
import {
  encodeAttributes,
  encodeDirectory,
  encodeEntry,
  encodeInit,
  encodeResponse,
  encodeStatfs,
  maxReadBytes,
  opcode,
  parseRequest,
  type RawRequest,
} from './raw-requests.ts';

/** Calls `mount(2)`. Returns the errno if it fails. */
export type MountFuse = (mount: {
  readonly target: string;
  readonly fstype: string;
  readonly source: string;
  readonly data: string;
}) => number | undefined;

/** An errno or the body of a response; undefined if the kernel expects no response. */
type RawResponse = number | Buffer | undefined;

const root = 1n;
/** The node of requests that concern no file. */
const noNode = 0n;
/** S_IFMT and S_IFDIR. */
const typeMask = 0o170000;
const directoryType = 0o040000;
const { ENOSYS, ENOENT, ESTALE } = constants.errno;

export interface RawFuseOptions extends FuseOptions {
  readonly mountFuse: MountFuse;
  /** A /dev/fuse descriptor whose connection another daemon has served; nothing is mounted then. */
  readonly taken?: number | undefined;
  /** Receives the descriptor before anything is reported as ready, once INIT is answered. */
  readonly onServing?: ((fd: number) => void) | undefined;
  readonly emit: EmitEvent;
}

/**
 * A server that speaks the FUSE protocol itself: libfuse 2 supports neither idmapped mounts, which pods with a user namespace need
 * (`hostUsers: false`), nor continuing on the connection of another daemon. It supports reading only.
 *
 * Node ids follow from paths and file handles are all zero, so that a successor needs nothing but the store to answer for them.
 */
export class RawFuse implements Fuse {
  readonly #mountpoint: string;
  readonly #served: FuseOperations;
  readonly #options: RawFuseOptions;
  readonly #paths = new Map<bigint, string>([[root, '/']]);
  readonly #buffer = Buffer.allocUnsafe(maxReadBytes + 4096);
  #fd = -1;
  #search: Promise<void> | undefined;

  constructor(mountpoint: string, served: FuseOperations, options: RawFuseOptions) {
    this.#mountpoint = mountpoint;
    this.#served = served;
    this.#options = options;
  }

  mount(done: (error: Error | null) => void): void {
    const { fsname, subtype, taken, mountFuse } = this.#options;
    if (taken !== undefined) {
      this.#fd = taken;
      this.#readNext();
      done(null);
      this.#onServing();
      return;
    }
    this.#fd = openSync('/dev/fuse', 'r+');
    const errno = mountFuse({
      target: this.#mountpoint,
      fstype: `fuse.${subtype}`,
      source: fsname,
      // Without default_permissions an idmapped mount refuses everything.
      data: `fd=${this.#fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
    });
    if (errno === undefined) this.#readNext();
    done(errno === undefined ? null : new Error(`errno ${errno}`));
  }

  #readNext(): void {
    read(this.#fd, this.#buffer, 0, this.#buffer.length, null, (error, length) => {
      // The connection was aborted or its last mount is gone. The daemon notices that the descriptor is closed.
      if (error?.code === 'ENODEV') return closeSync(this.#fd);
      if (!error) void this.#handle(parseRequest(Buffer.from(this.#buffer.subarray(0, length))));
      this.#readNext();
    });
  }

  #onServing(): void {
    this.#options.onServing?.(this.#fd);
    this.#served.init(() => {});
  }

  async #handle(request: RawRequest): Promise<void> {
    const { emit } = this.#options;
    if (request.isResent) emit('resent', { op: request.opcode, unique: String(request.unique) });
    const path = this.#paths.get(request.node) ?? (await this.#findPath(request.node));
    const response = await this.#respond(request, path);
    if (response === undefined) return;
    const [errno, body] = typeof response === 'number' ? [response, undefined] : [0, response];
    try {
      writeSync(this.#fd, encodeResponse(request.unique, errno, body));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The caller was interrupted, or the request was answered before.
      if (code === 'ENOENT') emit('answer-refused', { op: request.opcode, unique: String(request.unique) });
      else if (code !== 'ENODEV') throw error;
    }
    // Idmapped mounts are possible once INIT is answered.
    if (request.opcode === opcode.init) this.#onServing();
  }

  /** Finds the path of a node that another daemon has named to the kernel, by naming all paths. */
  async #findPath(node: bigint): Promise<string | undefined> {
    if (node === noNode) return '/';
    this.#search ??= this.#nameAll().finally(() => {
      this.#search = undefined;
    });
    await this.#search;
    return this.#paths.get(node);
  }

  async #nameAll(): Promise<void> {
    const directories = ['/'];
    for (let directory = directories.shift(); directory !== undefined; directory = directories.shift()) {
      const parent = directory;
      const names = await new Promise<readonly string[]>((resolve) => {
        this.#served.readdir(parent, (_status, found) => resolve(found ?? []));
      });
      for (const name of names) {
        if (name === '.' || name === '..') continue;
        const path = parent === '/' ? `/${name}` : `${parent}/${name}`;
        this.#nodeOf(path);
        const mode = await new Promise<number>((resolve) => {
          this.#served.getattr(path, (_status, stat) => resolve(stat?.mode ?? 0));
        });
        if ((mode & typeMask) === directoryType) directories.push(path);
      }
    }
  }

  #respond({ opcode: op, node, body }: RawRequest, path: string | undefined): RawResponse | Promise<RawResponse> {
    const served = this.#served;
    if (path === undefined) return op === opcode.forget ? undefined : ESTALE;
    const validSeconds = Number(this.#options.entryTimeout ?? 1);
    switch (op) {
      case opcode.init:
        return encodeInit(body);
      case opcode.lookup: {
        const name = body.toString('utf8', 0, body.indexOf(0));
        const child = path === '/' ? `/${name}` : `${path}/${name}`;
        return awaitResponse((respond) =>
          served.getattr(child, (status, stat) =>
            respond(stat ? encodeEntry(this.#nodeOf(child), stat, validSeconds) : -status || ENOENT),
          ),
        );
      }
      case opcode.getattr:
        return awaitResponse((respond) =>
          served.getattr(path, (status, stat) =>
            respond(stat ? encodeAttributes(node, stat, validSeconds) : -status || ENOENT),
          ),
        );
      case opcode.statfs:
        return awaitResponse((respond) =>
          served.statfs(path, (status, value) => respond(value ? encodeStatfs(value) : -status)),
        );
      case opcode.open:
        return awaitResponse((respond) =>
          served.open(path, 0, (status) => respond(status < 0 ? -status : Buffer.alloc(16))),
        );
      case opcode.opendir:
        return Buffer.alloc(16);
      case opcode.readdir: {
        const { offset, size } = parseRange(body);
        return awaitResponse((respond) =>
          served.readdir(path, (status, names) => respond(names ? encodeDirectory(names, offset, size) : -status)),
        );
      }
      case opcode.read: {
        const { offset, size } = parseRange(body);
        const into = Buffer.alloc(Math.min(size, maxReadBytes));
        return awaitResponse((respond) =>
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
    if (path === '/') return root;
    // The highest bit keeps it apart from the root's and from 0.
    const node = createHash('sha1').update(path).digest().readBigUInt64LE() | (1n << 63n);
    this.#paths.set(node, path);
    return node;
  }
}

const awaitResponse = (work: (respond: (response: RawResponse) => void) => void): Promise<RawResponse> =>
  new Promise(work);

/** Offset and size of a `struct fuse_read_in`. */
function parseRange(body: Buffer): { readonly offset: number; readonly size: number } {
  return { offset: Number(body.readBigUInt64LE(8)), size: body.readUInt32LE(16) };
}

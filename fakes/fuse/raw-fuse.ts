import { closeSync, openSync, read, writeSync } from 'node:fs';
import { constants } from 'node:os';
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
const { ENOSYS, ENOENT } = constants.errno;

/**
 * A server that speaks the FUSE protocol itself, because libfuse 2 does not support idmapped mounts, which pods with a user namespace need
 * (`hostUsers: false`). It supports reading only.
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
    if (errno === undefined) this.#readNext();
    done(errno === undefined ? null : new Error(`errno ${errno}`));
  }

  #readNext(): void {
    const buffer = Buffer.allocUnsafe(maxReadBytes + 4096);
    read(this.#fd, buffer, 0, buffer.length, null, (error, length) => {
      // The connection was aborted or its last mount is gone. The daemon notices that the descriptor is closed.
      if (error?.code === 'ENODEV') return closeSync(this.#fd);
      if (!error) void this.#handle(parseRequest(buffer.subarray(0, length)));
      this.#readNext();
    });
  }

  async #handle(request: RawRequest): Promise<void> {
    const response = await this.#respond(request);
    if (response === undefined) return;
    const [errno, body] = typeof response === 'number' ? [response, undefined] : [0, response];
    try {
      writeSync(this.#fd, encodeResponse(request.unique, errno, body));
    } catch (error) {
      // The caller was interrupted, or the connection has ended.
      if (!['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    // Idmapped mounts are possible once INIT is answered.
    if (request.opcode === opcode.init) this.#served.init(() => {});
  }

  #respond({ opcode: op, node, body }: RawRequest): RawResponse | Promise<RawResponse> {
    const served = this.#served;
    const path = this.#paths.get(node) ?? '/';
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
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const node = root + BigInt(this.#nodes.size);
    this.#nodes.set(path, node);
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

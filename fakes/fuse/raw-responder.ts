import { createHash } from 'node:crypto';
import { constants } from 'node:os';
import type { FuseOperations } from './fuse-native.ts';
import {
  encodeAttributes,
  encodeDirectory,
  encodeEntry,
  encodeInit,
  encodeStatfs,
  maxReadBytes,
  opcode,
  type RawRequest,
} from './raw-requests.ts';

/** An errno or the body of a response; undefined if the kernel expects no response. */
export type RawResponse = number | Buffer | undefined;

/** What a daemon serves. Its callbacks may be called at once or later. */
export type ServedTree = Pick<FuseOperations, 'getattr' | 'readdir' | 'statfs' | 'open' | 'read'> &
  Partial<Pick<FuseOperations, 'init'>>;

const root = 1n;
/** The node of requests that concern no file. */
const noNode = 0n;
const { ENOSYS, ENOENT, ESTALE } = constants.errno;

/** Answers requests of the FUSE protocol for a tree that can only be read. Node ids follow from paths, and file handles are all zero. */
export class RawResponder {
  readonly #served: ServedTree;
  readonly #validSeconds: number;
  readonly #paths = new Map<bigint, string>([
    [root, '/'],
    [noNode, '/'],
  ]);

  /** `validSeconds`: how long the kernel may cache names and attributes. */
  constructor(served: ServedTree, validSeconds: number) {
    this.#served = served;
    this.#validSeconds = validSeconds;
  }

  /** Undefined if the node has not been named yet. */
  pathOf(node: bigint): string | undefined {
    return this.#paths.get(node);
  }

  nodeOf(path: string): bigint {
    if (path === '/') return root;
    // The highest bit keeps it apart from the root's and from 0.
    const node = createHash('sha1').update(path).digest().readBigUInt64LE() | (1n << 63n);
    this.#paths.set(node, path);
    return node;
  }

  respond({ opcode: op, node, body }: RawRequest, done: (response: RawResponse) => void): void {
    const served = this.#served;
    const path = this.pathOf(node);
    if (path === undefined) {
      done(op === opcode.forget ? undefined : ESTALE);
      return;
    }
    switch (op) {
      case opcode.init:
        done(encodeInit(body));
        break;
      case opcode.lookup: {
        const name = body.toString('utf8', 0, body.indexOf(0));
        const child = path === '/' ? `/${name}` : `${path}/${name}`;
        served.getattr(child, (status, stat) =>
          done(stat ? encodeEntry(this.nodeOf(child), stat, this.#validSeconds) : -status || ENOENT),
        );
        break;
      }
      case opcode.getattr:
        served.getattr(path, (status, stat) =>
          done(stat ? encodeAttributes(node, stat, this.#validSeconds) : -status || ENOENT),
        );
        break;
      case opcode.statfs:
        served.statfs(path, (status, value) => done(value ? encodeStatfs(value) : -status));
        break;
      case opcode.open:
        served.open(path, 0, (status) => done(status < 0 ? -status : Buffer.alloc(16)));
        break;
      case opcode.opendir:
        done(Buffer.alloc(16));
        break;
      case opcode.readdir: {
        const { offset, size } = parseRange(body);
        served.readdir(path, (status, names) => done(names ? encodeDirectory(names, offset, size) : -status));
        break;
      }
      case opcode.read: {
        const { offset, size } = parseRange(body);
        const into = Buffer.alloc(Math.min(size, maxReadBytes));
        served.read(path, 1, into, into.length, offset, (status) =>
          done(status < 0 ? -status : into.subarray(0, status)),
        );
        break;
      }
      case opcode.release:
      case opcode.releasedir:
      case opcode.flush:
      case opcode.destroy:
        done(Buffer.alloc(0));
        break;
      case opcode.forget:
      case opcode.batchForget:
      case opcode.interrupt:
        done(undefined);
        break;
      default:
        done(ENOSYS);
        break;
    }
  }
}

/** Offset and size of a `struct fuse_read_in`. */
function parseRange(body: Buffer): { readonly offset: number; readonly size: number } {
  return { offset: Number(body.readBigUInt64LE(8)), size: body.readUInt32LE(16) };
}

import { closeSync, openSync, read, writeSync } from 'node:fs';
import type { EmitEvent } from './event-lines.ts';
import type { Fuse, FuseOptions } from './fuse-native.ts';
import { encodeResponse, maxReadBytes, opcode, parseRequest, type RawRequest } from './raw-requests.ts';
import { RawResponder, type RawResponse, type ServedTree } from './raw-responder.ts';

/** Calls `mount(2)`. Returns the errno if it fails. */
export type MountFuse = (mount: {
  readonly target: string;
  readonly fstype: string;
  readonly source: string;
  readonly data: string;
  readonly readOnly: boolean;
}) => number | undefined;

/** S_IFMT and S_IFDIR. */
const typeMask = 0o170000;
const directoryType = 0o040000;

export interface RawFuseOptions extends FuseOptions {
  readonly mountFuse: MountFuse;
  /** Whether the superblock is read-only. */
  readonly readOnly?: boolean | undefined;
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
  readonly #served: ServedTree;
  readonly #options: RawFuseOptions;
  readonly #responder: RawResponder;
  readonly #buffer = Buffer.allocUnsafe(maxReadBytes + 4096);
  #fd = -1;
  #search: Promise<void> | undefined;

  constructor(mountpoint: string, served: ServedTree, options: RawFuseOptions) {
    this.#mountpoint = mountpoint;
    this.#served = served;
    this.#options = options;
    this.#responder = new RawResponder(served, Number(options.entryTimeout ?? 1));
  }

  mount(done: (error: Error | null) => void): void {
    const { fsname, subtype, taken, mountFuse, readOnly = false } = this.#options;
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
      readOnly,
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
    this.#served.init?.(() => {});
  }

  async #handle(request: RawRequest): Promise<void> {
    const { emit } = this.#options;
    if (request.isResent) emit('resent', { op: request.opcode, unique: String(request.unique) });
    if (this.#responder.pathOf(request.node) === undefined) await this.#nameAllOnce();
    const response = await new Promise<RawResponse>((resolve) => this.#responder.respond(request, resolve));
    if (response === undefined) return;
    try {
      writeSync(this.#fd, encodeResponse(request.unique, response));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The caller was interrupted, or the request was answered before.
      if (code === 'ENOENT') emit('answer-refused', { op: request.opcode, unique: String(request.unique) });
      else if (code !== 'ENODEV') throw error;
    }
    // Idmapped mounts are possible once INIT is answered.
    if (request.opcode === opcode.init) this.#onServing();
  }

  /** Names all paths, because another daemon has named a node to the kernel. */
  #nameAllOnce(): Promise<void> {
    this.#search ??= this.#nameAll().finally(() => {
      this.#search = undefined;
    });
    return this.#search;
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
        this.#responder.nodeOf(path);
        const mode = await new Promise<number>((resolve) => {
          this.#served.getattr(path, (_status, stat) => resolve(stat?.mode ?? 0));
        });
        if ((mode & typeMask) === directoryType) directories.push(path);
      }
    }
  }
}

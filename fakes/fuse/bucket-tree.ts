import type { ListedObject, StoreFailure, StoreResult } from '../store/s3-client.ts';
import {
  type Directory,
  type FileNode,
  fail,
  type ReadOnlyTree,
  succeed,
  type TreeNode,
  type TreeResult,
  toDirectory,
} from './tree.ts';

/** The requests that the tree sends to the store. */
export interface BucketSource {
  list(prefix: string): Promise<StoreResult<{ objects: readonly ListedObject[]; prefixes: readonly string[] }>>;
  get(
    key: string,
    range: readonly [first: number, last: number],
  ): Promise<StoreResult<{ readonly bytes: Buffer; readonly etag: string }>>;
}

export interface BucketTreeOptions {
  readonly source: BucketSource;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Receives each failure of the store, and undefined for each success. */
  readonly onStoreResult: (failure: StoreFailure | undefined) => void;
}

const listingTtlMs = 1_000;
const maxListings = 1_000;
const blockBytes = 128 * 1024;
const maxBlockBytes = 8 * 1024 * 1024;
const prefetchedFiles = 4;

/** A bucket's prefix as a read-only tree. Listings are cached for a second, blocks until the cache is full. */
export class BucketTree implements ReadOnlyTree {
  readonly #options: BucketTreeOptions;
  readonly #listings = new Map<
    string,
    { readonly listedAt: number; readonly directory: Promise<TreeResult<Directory>> }
  >();
  readonly #blocks = new BlockCache(maxBlockBytes);
  /** Blocks that are being fetched. */
  readonly #pending = new Map<string, Promise<TreeResult<Buffer>>>();

  constructor(options: BucketTreeOptions) {
    this.#options = options;
  }

  /** Fetches what readers need first: the listing of the root and the first blocks of its first files. Never rejects. */
  async prefetch(): Promise<void> {
    const root = await this.directory('/');
    if (!root.ok) return;
    const files = [...root.value.values()].filter((entry) => entry.kind === 'file').filter(({ size }) => size > 0);
    await Promise.all(files.slice(0, prefetchedFiles).map((file) => this.#block(file, 0)));
  }

  async entry(path: string): Promise<TreeResult<TreeNode>> {
    if (path === '/') return succeed({ kind: 'directory' });
    const slash = path.lastIndexOf('/');
    const parent = await this.directory(path.slice(0, slash) || '/');
    if (!parent.ok) return parent;
    const entry = parent.value.get(path.slice(slash + 1));
    return entry === undefined ? fail('ENOENT') : succeed(entry);
  }

  directory(path: string): Promise<TreeResult<Directory>> {
    const now = this.#options.now();
    const cached = this.#listings.get(path);
    if (cached !== undefined && now - cached.listedAt < listingTtlMs) return cached.directory;
    const directory = this.#list(path);
    this.#listings.delete(path);
    this.#listings.set(path, { listedAt: now, directory });
    const [oldest] = this.#listings.keys();
    if (this.#listings.size > maxListings && oldest !== undefined) this.#listings.delete(oldest);
    return directory;
  }

  async read(file: FileNode, into: Buffer, offset: number): Promise<TreeResult<number>> {
    const end = Math.min(offset + into.byteLength, file.size);
    const blocks: Promise<TreeResult<Buffer>>[] = [];
    for (let block = Math.floor(offset / blockBytes); block * blockBytes < end; block++) {
      blocks.push(this.#block(file, block));
    }
    let copied = 0;
    for (const fetched of await Promise.all(blocks)) {
      if (!fetched.ok) return fetched;
      const from = (offset + copied) % blockBytes;
      copied += fetched.value.copy(
        into,
        copied,
        from,
        Math.min(fetched.value.byteLength, from + end - offset - copied),
      );
    }
    return succeed(copied);
  }

  async #list(path: string): Promise<TreeResult<Directory>> {
    const prefix = path === '/' ? this.#options.prefix : `${this.#options.prefix}${path.slice(1)}/`;
    const listed = await this.#options.source.list(prefix);
    this.#options.onStoreResult(listed.ok ? undefined : listed.failure);
    if (listed.ok) return succeed(toDirectory(prefix, listed.value));
    this.#listings.delete(path);
    return fail(listed.failure.errno);
  }

  async #block(file: FileNode, block: number): Promise<TreeResult<Buffer>> {
    const id = `${file.etag}/${block}/${file.key}`;
    const cached = this.#blocks.get(id);
    if (cached !== undefined) return succeed(cached);
    const pending = this.#pending.get(id) ?? this.#fetch(id, file, block).finally(() => this.#pending.delete(id));
    this.#pending.set(id, pending);
    return pending;
  }

  async #fetch(id: string, { key, etag, size }: FileNode, block: number): Promise<TreeResult<Buffer>> {
    const first = block * blockBytes;
    const got = await this.#options.source.get(key, [first, Math.min(first + blockBytes, size) - 1]);
    this.#options.onStoreResult(got.ok ? undefined : got.failure);
    if (!got.ok) return fail(got.failure.errno);
    // If the object has changed since it was listed, its bytes must not be cached as those of the listed version.
    if (got.value.etag === etag) this.#blocks.set(id, got.value.bytes);
    else this.#listings.clear();
    return succeed(got.value.bytes);
  }
}

/** Blocks of objects up to a total size. The least recently used block is dropped first. */
export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Map<string, Buffer>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Total size of the cached blocks. */
  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): Buffer | undefined {
    const block = this.#blocks.get(id);
    if (block === undefined) return undefined;
    this.#blocks.delete(id);
    this.#blocks.set(id, block);
    return block;
  }

  set(id: string, block: Buffer): void {
    this.#drop(id);
    this.#blocks.set(id, block);
    this.#bytes += block.byteLength;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(id: string): void {
    this.#bytes -= this.#blocks.get(id)?.byteLength ?? 0;
    this.#blocks.delete(id);
  }
}

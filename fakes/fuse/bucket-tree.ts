import type { ListedObject, StoreFailure, StoreResult } from '../store/s3-client.ts';
import { type Answer, answered, refused } from './answer.ts';
import { BlockCache } from './block-cache.ts';
import { type Directory, directoryOf, type Entry, type FileEntry } from './listing-tree.ts';

/** What is needed of the store. */
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
  /** Takes the failures of the store, and undefined for each success. */
  readonly onStore: (failure: StoreFailure | undefined) => void;
}

const listingMs = 1_000;
const maxListings = 1_000;
const blockBytes = 128 * 1024;
const maxBlockBytes = 8 * 1024 * 1024;
const warmFiles = 4;

/** A bucket's prefix as a read-only tree. Listings are kept for a second, blocks until others need the room. */
export class BucketTree {
  readonly #options: BucketTreeOptions;
  readonly #listings = new Map<string, { readonly at: number; readonly directory: Promise<Answer<Directory>> }>();
  readonly #blocks = new BlockCache(maxBlockBytes);
  /** Blocks that were asked for and have not come yet. */
  readonly #coming = new Map<string, Promise<Answer<Buffer>>>();

  constructor(options: BucketTreeOptions) {
    this.#options = options;
  }

  /** Asks for what is asked for first: the root's listing, and the beginnings of its first files. Never rejects. */
  async warm(): Promise<void> {
    const root = await this.directory('/');
    if (!root.ok) return;
    const files = [...root.value.values()].filter((entry) => entry.kind === 'file').filter(({ size }) => size > 0);
    await Promise.all(files.slice(0, warmFiles).map((file) => this.#block(file, 0)));
  }

  /** Path as in FUSE: begins with `/`, the root is `/`. */
  async entry(path: string): Promise<Answer<Entry>> {
    if (path === '/') return answered({ kind: 'directory' });
    const at = path.lastIndexOf('/');
    const parent = await this.directory(path.slice(0, at) || '/');
    if (!parent.ok) return parent;
    const entry = parent.value.get(path.slice(at + 1));
    return entry === undefined ? refused('ENOENT') : answered(entry);
  }

  directory(path: string): Promise<Answer<Directory>> {
    const now = this.#options.now();
    const known = this.#listings.get(path);
    if (known !== undefined && now - known.at < listingMs) return known.directory;
    const directory = this.#list(path);
    this.#listings.delete(path);
    this.#listings.set(path, { at: now, directory });
    const [oldest] = this.#listings.keys();
    if (this.#listings.size > maxListings && oldest !== undefined) this.#listings.delete(oldest);
    return directory;
  }

  /** How many bytes were read: less than there is room for only at the end of the file. */
  async read(file: FileEntry, into: Buffer, offset: number): Promise<Answer<number>> {
    const end = Math.min(offset + into.byteLength, file.size);
    const blocks: Promise<Answer<Buffer>>[] = [];
    for (let block = Math.floor(offset / blockBytes); block * blockBytes < end; block++) {
      blocks.push(this.#block(file, block));
    }
    let done = 0;
    for (const answer of await Promise.all(blocks)) {
      if (!answer.ok) return answer;
      const from = (offset + done) % blockBytes;
      done += answer.value.copy(into, done, from, Math.min(answer.value.byteLength, from + end - offset - done));
    }
    return answered(done);
  }

  async #list(path: string): Promise<Answer<Directory>> {
    const prefix = path === '/' ? this.#options.prefix : `${this.#options.prefix}${path.slice(1)}/`;
    const listed = await this.#options.source.list(prefix);
    this.#options.onStore(listed.ok ? undefined : listed.failure);
    if (listed.ok) return answered(directoryOf(prefix, listed.value));
    this.#listings.delete(path);
    return refused(listed.failure.errno);
  }

  async #block(file: FileEntry, block: number): Promise<Answer<Buffer>> {
    const id = `${file.etag}/${block}/${file.key}`;
    const cached = this.#blocks.get(id);
    if (cached !== undefined) return answered(cached);
    const coming = this.#coming.get(id) ?? this.#fetch(id, file, block).finally(() => this.#coming.delete(id));
    this.#coming.set(id, coming);
    return coming;
  }

  async #fetch(id: string, { key, etag, size }: FileEntry, block: number): Promise<Answer<Buffer>> {
    const first = block * blockBytes;
    const got = await this.#options.source.get(key, [first, Math.min(first + blockBytes, size) - 1]);
    this.#options.onStore(got.ok ? undefined : got.failure);
    if (!got.ok) return refused(got.failure.errno);
    // Another version than the listing told of: true, but not to be kept under the old version's name.
    if (got.value.etag === etag) this.#blocks.set(id, got.value.bytes);
    else this.#listings.clear();
    return answered(got.value.bytes);
  }
}

import { createHash } from 'node:crypto';

export interface StoredObject {
  readonly key: string;
  readonly body: Buffer;
  /** MD5 in hex, as in S3 for objects that are put in one part. */
  readonly etag: string;
  readonly modifiedAt: Date;
}

export interface ListRequest {
  readonly prefix: string;
  readonly delimiter: string;
  /** Only items that sort after this key or common prefix are listed. */
  readonly after: string;
  readonly maxKeys: number;
}

export interface ObjectListing {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** The last key or prefix of this page, if there are more. */
  readonly next: string | undefined;
}

/** The objects of one bucket, in the order of their keys' UTF-8 bytes, as ListObjects returns them. */
export class ObjectTable {
  readonly #objects = new Map<string, StoredObject>();
  #sorted: string[] | undefined;

  put(key: string, body: Buffer, modifiedAt: Date): StoredObject {
    if (!this.#objects.has(key)) this.#sorted = undefined;
    const object = { key, body, etag: createHash('md5').update(body).digest('hex'), modifiedAt };
    this.#objects.set(key, object);
    return object;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sorted = undefined;
  }

  list({ prefix, delimiter, after, maxKeys }: ListRequest): ObjectListing {
    const objects: StoredObject[] = [];
    const prefixes: string[] = [];
    let last = '';
    if (maxKeys === 0) return { objects, prefixes, next: undefined };
    for (const key of this.#keys()) {
      if (!key.startsWith(prefix)) continue;
      const common = commonPrefix(key, prefix, delimiter);
      const item = common ?? key;
      if (item === last || (after !== '' && byBytes(item, after) <= 0)) continue;
      if (objects.length + prefixes.length === maxKeys) return { objects, prefixes, next: last };
      last = item;
      const object = this.#objects.get(key);
      if (common !== undefined) prefixes.push(common);
      else if (object !== undefined) objects.push(object);
    }
    return { objects, prefixes, next: undefined };
  }

  #keys(): readonly string[] {
    this.#sorted ??= [...this.#objects.keys()].sort(byBytes);
    return this.#sorted;
  }
}

/** The part of a key up to and including the first delimiter after the prefix. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined;
  const index = key.indexOf(delimiter, prefix.length);
  return index === -1 ? undefined : key.slice(0, index + delimiter.length);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

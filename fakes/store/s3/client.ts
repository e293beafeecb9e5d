import { Agent, type IncomingMessage, request as send } from 'node:http';
import { type ListedObject, listQuery, parseErrorCode, parseListPage } from './list-objects.ts';
import { type BucketAddress, type Credentials, type S3Request, signRequest } from './request.ts';

/** Why the store did not give what was asked. Never holds credentials. */
export interface StoreFailure {
  /** ENOENT: no such key. EACCES: refused. ETIMEDOUT: no answer in time. EIO: everything else. */
  readonly errno: 'ENOENT' | 'EACCES' | 'ETIMEDOUT' | 'EIO';
  /** S3's code (`NoSuchKey`), or the connection's errno (`ECONNREFUSED`). */
  readonly code: string;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
}

export type StoreResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: StoreFailure };

/** Bytes of an object, and the ETag of the version that they are of. */
export interface ObjectBytes {
  readonly bytes: Buffer;
  readonly etag: string;
}

export interface ClientOptions {
  readonly address: BucketAddress;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** The few verbs of S3 that a reader of one bucket needs. Connections are kept alive; nothing here rejects. */
export class S3Client implements Disposable {
  readonly #options: ClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Everything directly below a prefix, page by page. */
  async list(prefix: string): Promise<StoreResult<{ objects: ListedObject[]; prefixes: string[] }>> {
    const objects: ListedObject[] = [];
    const prefixes: string[] = [];
    let token: string | undefined;
    do {
      const answer = await this.#ask({ method: 'GET', query: listQuery(prefix, token) });
      if (!answer.ok) return answer;
      const page = parseListPage(answer.value.body.toString());
      objects.push(...page.objects);
      prefixes.push(...page.prefixes);
      token = page.next;
    } while (token !== undefined);
    return { ok: true, value: { objects, prefixes } };
  }

  async get(key: string, range?: readonly [first: number, last: number]): Promise<StoreResult<ObjectBytes>> {
    const answer = await this.#ask({ method: 'GET', key, ...(range === undefined ? {} : { range }) });
    if (!answer.ok) return answer;
    const { body, headers } = answer.value;
    return { ok: true, value: { bytes: body, etag: (headers.etag ?? '').replaceAll('"', '') } };
  }

  async put(key: string, body: Uint8Array): Promise<StoreResult<undefined>> {
    return nothing(await this.#ask({ method: 'PUT', key, body }));
  }

  async delete(key: string): Promise<StoreResult<undefined>> {
    return nothing(await this.#ask({ method: 'DELETE', key }));
  }

  /** Size and ETag of one object. */
  async head(key: string): Promise<StoreResult<{ readonly size: number; readonly etag: string }>> {
    const answer = await this.#ask({ method: 'HEAD', key });
    if (!answer.ok) return answer;
    const { headers } = answer.value;
    return {
      ok: true,
      value: { size: Number(headers['content-length']), etag: (headers.etag ?? '').replaceAll('"', '') },
    };
  }

  async createBucket(): Promise<StoreResult<undefined>> {
    return nothing(await this.#ask({ method: 'PUT' }));
  }

  async headBucket(): Promise<StoreResult<undefined>> {
    return nothing(await this.#ask({ method: 'HEAD' }));
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #ask(request: S3Request): Promise<StoreResult<Answer>> {
    const first = await this.#once(request);
    // A kept-alive connection may have been closed by the store the moment before: that is no failure of the store.
    const sent = first === 'stale' ? await this.#once(request) : first;
    if (sent === 'stale') return failed('EIO', 'ECONNRESET', undefined);
    if (!sent.ok || sent.value.status < 300) return sent;
    const { status, body } = sent.value;
    const code = parseErrorCode(body.toString()) ?? `HTTP ${status}`;
    return failed(
      status === 403 ? 'EACCES' : status === 404 && code !== 'NoSuchBucket' ? 'ENOENT' : 'EIO',
      code,
      status,
    );
  }

  #once(request: S3Request): Promise<StoreResult<Answer> | 'stale'> {
    const { address, credentials, timeoutMs } = this.#options;
    const { body, headers, ...rest } = signRequest(address, credentials, request, new Date());
    return new Promise((resolve) => {
      const outgoing = send({ ...rest, headers: { ...headers }, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error: NodeJS.ErrnoException) => resolve(brokenOff(error)));
        response.on('end', () => {
          clearTimeout(deadline);
          const { statusCode = 0, headers: answered } = response;
          resolve({ ok: true, value: { status: statusCode, headers: answered, body: Buffer.concat(chunks) } });
        });
      });
      const deadline = setTimeout(() => {
        resolve(failed('ETIMEDOUT', 'ETIMEDOUT', undefined));
        outgoing.destroy();
      }, timeoutMs);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(deadline);
        resolve(outgoing.reusedSocket && error.code === 'ECONNRESET' ? 'stale' : brokenOff(error));
      });
      outgoing.end(body);
    });
  }
}

function brokenOff(error: NodeJS.ErrnoException): StoreResult<never> {
  const code = error.code ?? 'EIO';
  return failed(code === 'ETIMEDOUT' ? 'ETIMEDOUT' : 'EIO', code, undefined);
}

function failed(errno: StoreFailure['errno'], code: string, status: number | undefined): StoreResult<never> {
  return { ok: false, failure: { errno, code, status } };
}

function nothing(result: StoreResult<unknown>): StoreResult<undefined> {
  return result.ok ? { ok: true, value: undefined } : result;
}

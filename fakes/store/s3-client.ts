import { Agent, type IncomingMessage, request as sendRequest } from 'node:http';
import aws4 from 'aws4';
import type { Credentials } from './credentials.ts';

/** One bucket of an S3 service, addressed path-style. */
export interface BucketAddress {
  /** `http://host:port`, without a path. */
  readonly endpoint: string;
  readonly bucket: string;
}

/** Why a request failed. Never contains credentials. */
export interface StoreFailure {
  /** ENOENT: no such key. EACCES: refused. ETIMEDOUT: no response in time. EIO: everything else. */
  readonly errno: 'ENOENT' | 'EACCES' | 'ETIMEDOUT' | 'EIO';
  /** S3's code (`NoSuchKey`), or the errno of the connection (`ECONNREFUSED`). */
  readonly code: string;
  /** HTTP status; undefined if there was no response. */
  readonly status: number | undefined;
}

export type StoreResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: StoreFailure };

/** An object in the response to ListObjectsV2. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** Without its quotes. */
  readonly etag: string;
}

/** A whole object or a range of it, with the ETag of the version that was read. */
export interface ObjectBytes {
  readonly bytes: Buffer;
  readonly etag: string;
}

export interface S3ClientOptions {
  readonly address: BucketAddress;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
}

/** A request for one object, or for the bucket if there is no key. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** First and last byte, both included. */
  readonly range?: readonly [first: number, last: number];
  readonly body?: Uint8Array;
}

interface S3Response {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A client for one bucket, with kept-alive connections. Its methods never reject. */
export class S3Client implements Disposable {
  readonly #options: S3ClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(options: S3ClientOptions) {
    this.#options = options;
  }

  /** Lists the objects and common prefixes directly below a prefix. */
  async list(prefix: string): Promise<StoreResult<{ objects: ListedObject[]; prefixes: string[] }>> {
    const objects: ListedObject[] = [];
    const prefixes: string[] = [];
    let token: string | undefined;
    do {
      const query = {
        'list-type': '2',
        prefix,
        delimiter: '/',
        // XML cannot represent every key.
        'encoding-type': 'url',
        ...(token === undefined ? {} : { 'continuation-token': token }),
      };
      const response = await this.#request({ method: 'GET', query });
      if (!response.ok) return response;
      const page = parseListPage(response.value.body.toString());
      objects.push(...page.objects);
      prefixes.push(...page.prefixes);
      token = page.nextToken;
    } while (token !== undefined);
    return { ok: true, value: { objects, prefixes } };
  }

  async get(key: string, range?: readonly [first: number, last: number]): Promise<StoreResult<ObjectBytes>> {
    const response = await this.#request({ method: 'GET', key, ...(range === undefined ? {} : { range }) });
    if (!response.ok) return response;
    const { body, headers } = response.value;
    return { ok: true, value: { bytes: body, etag: withoutQuotes(headers.etag) } };
  }

  async head(key: string): Promise<StoreResult<{ readonly size: number; readonly etag: string }>> {
    const response = await this.#request({ method: 'HEAD', key });
    if (!response.ok) return response;
    const { headers } = response.value;
    return { ok: true, value: { size: Number(headers['content-length']), etag: withoutQuotes(headers.etag) } };
  }

  async put(key: string, body: Uint8Array): Promise<StoreResult<undefined>> {
    return withoutValue(await this.#request({ method: 'PUT', key, body }));
  }

  async delete(key: string): Promise<StoreResult<undefined>> {
    return withoutValue(await this.#request({ method: 'DELETE', key }));
  }

  async createBucket(): Promise<StoreResult<undefined>> {
    return withoutValue(await this.#request({ method: 'PUT' }));
  }

  async headBucket(): Promise<StoreResult<undefined>> {
    return withoutValue(await this.#request({ method: 'HEAD' }));
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #request(request: S3Request): Promise<StoreResult<S3Response>> {
    // The store may close a kept-alive connection just when it is used again, which is no failure of the store.
    const first = await this.#send(request);
    const response = first === 'connection-closed' ? await this.#send(request) : first;
    if (response === 'connection-closed') return fail('EIO', 'ECONNRESET', undefined);
    if (!response.ok || response.value.status < 300) return response;
    const { status, body } = response.value;
    const code = parseErrorCode(body.toString()) ?? `HTTP ${status}`;
    if (status === 403) return fail('EACCES', code, status);
    return fail(status === 404 && code !== 'NoSuchBucket' ? 'ENOENT' : 'EIO', code, status);
  }

  #send(request: S3Request): Promise<StoreResult<S3Response> | 'connection-closed'> {
    const { address, credentials, timeoutMs } = this.#options;
    const { headers, ...rest } = signRequest(address, credentials, request, new Date());
    return new Promise((resolve) => {
      const outgoing = sendRequest({ ...rest, headers: { ...headers }, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error: NodeJS.ErrnoException) => resolve(failFrom(error)));
        response.on('end', () => {
          clearTimeout(timer);
          const { statusCode = 0, headers } = response;
          resolve({ ok: true, value: { status: statusCode, headers, body: Buffer.concat(chunks) } });
        });
      });
      const timer = setTimeout(() => {
        resolve(fail('ETIMEDOUT', 'ETIMEDOUT', undefined));
        outgoing.destroy();
      }, timeoutMs);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        resolve(outgoing.reusedSocket && error.code === 'ECONNRESET' ? 'connection-closed' : failFrom(error));
      });
      outgoing.end(request.body);
    });
  }
}

/** Options for `http.request`. */
export interface SignedRequest {
  readonly hostname: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Builds and signs a request (AWS Signature Version 4, region us-east-1). */
export function signRequest(
  { endpoint, bucket }: BucketAddress,
  { accessKeyId, accessKeySecret }: Credentials,
  { method, key, query = {}, range, body }: S3Request,
  now: Date,
): SignedRequest {
  const url = new URL(endpoint);
  const object = key === undefined ? '' : `/${key.split('/').map(encode).join('/')}`;
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const headers: Record<string, string> = {
    Host: url.host,
    'X-Amz-Date': now.toISOString().replace(/[:-]|\.\d{3}/g, ''),
    ...(range === undefined ? {} : { Range: `bytes=${range[0]}-${range[1]}` }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/octet-stream' }),
    ...(method === 'PUT' ? { 'Content-Length': String(body?.byteLength ?? 0) } : {}),
  };
  const signed = aws4.sign(
    {
      service: 's3',
      region: 'us-east-1',
      method,
      path: `/${bucket}${object}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`,
      headers,
      ...(body === undefined ? {} : { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
    },
    { accessKeyId, secretAccessKey: accessKeySecret },
  );
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 80 : Number(url.port),
    method,
    path: signed.path ?? '/',
    headers: signed.headers as Record<string, string>,
  };
}

/** Percent-encodes everything except the unreserved characters of RFC 3986. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Parses one page of ListObjectsV2. `nextToken` is undefined on the last page. */
export function parseListPage(xml: string): {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  readonly nextToken: string | undefined;
} {
  const encoded = textOf(xml, 'EncodingType') === 'url';
  const decodeKey = (raw = ''): string => (encoded ? decodeURIComponent(raw.replaceAll('+', ' ')) : raw);
  const objects = [...elements(xml, 'Contents')].map((contents) => ({
    key: decodeKey(textOf(contents, 'Key')),
    size: Number(textOf(contents, 'Size') ?? 0),
    modifiedAt: Date.parse(textOf(contents, 'LastModified') ?? '') || 0,
    etag: withoutQuotes(textOf(contents, 'ETag')),
  }));
  const prefixes = [...elements(xml, 'CommonPrefixes')].map((common) => decodeKey(textOf(common, 'Prefix')));
  const isTruncated = textOf(xml, 'IsTruncated') === 'true';
  return { objects, prefixes, nextToken: isTruncated ? textOf(xml, 'NextContinuationToken') : undefined };
}

/** The `<Code>` of an S3 error response, such as `NoSuchKey`. */
export function parseErrorCode(xml: string): string | undefined {
  return textOf(xml, 'Code');
}

function textOf(xml: string, name: string): string | undefined {
  const [first] = elements(xml, name);
  return first === undefined ? undefined : unescapeXml(first);
}

/**
 * The contents of all elements of a name. This is no XML parser; it relies on S3's responses having no comments, no attributes below
 * the root, and no element within another of the same name.
 */
function* elements(xml: string, name: string): Generator<string> {
  const open = `<${name}>`;
  const close = `</${name}>`;
  let start = xml.indexOf(open);
  while (start !== -1) {
    const end = xml.indexOf(close, start);
    if (end === -1) return;
    yield xml.slice(start + open.length, end);
    start = xml.indexOf(open, end);
  }
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(escaped: string): string {
  return escaped.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (match, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[name] ?? match;
  });
}

const withoutQuotes = (etag = ''): string => etag.replaceAll('"', '');

function fail(errno: StoreFailure['errno'], code: string, status: number | undefined): StoreResult<never> {
  return { ok: false, failure: { errno, code, status } };
}

function failFrom({ code = 'EIO' }: NodeJS.ErrnoException): StoreResult<never> {
  return fail(code === 'ETIMEDOUT' ? 'ETIMEDOUT' : 'EIO', code, undefined);
}

function withoutValue(result: StoreResult<unknown>): StoreResult<undefined> {
  return result.ok ? { ok: true, value: undefined } : result;
}

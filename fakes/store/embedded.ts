import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ObjectTable } from './object-table.ts';
import type { Credentials } from './s3/request.ts';
import { errorXml, listXml } from './s3-xml.ts';
import { refuse } from './signature.ts';
import type { StoreFault } from './store.ts';

export interface EmbeddedOptions {
  readonly credentials: Credentials;
  /** Read at each request; `none` where nothing is wrong. */
  readonly fault: () => StoreFault;
}

interface Asked {
  readonly message: IncomingMessage;
  readonly body: Buffer;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Buffer | string;
}

const messages: Readonly<Record<string, readonly [status: number, message: string]>> = {
  AccessDenied: [403, 'Access Denied.'],
  InvalidAccessKeyId: [403, 'The Access Key Id you provided does not exist in our records.'],
  SignatureDoesNotMatch: [403, 'The request signature we calculated does not match the signature you provided.'],
  RequestTimeTooSkewed: [403, 'The difference between the request time and the current time is too large.'],
  XAmzContentSHA256Mismatch: [400, 'The provided x-amz-content-sha256 header does not match what was computed.'],
  NotImplemented: [501, 'A header you provided implies functionality that is not implemented.'],
  NoSuchBucket: [404, 'The specified bucket does not exist.'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  BucketAlreadyOwnedByYou: [409, 'Your previous request to create the named bucket succeeded and you already own it.'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidRange: [416, 'The requested range is not satisfiable.'],
  InvalidArgument: [400, 'Invalid argument.'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  InternalError: [500, 'We encountered an internal error.'],
};

/** An S3 service in memory, path-style, for the few operations that a reader of one bucket needs. Not listening yet. */
export function createEmbeddedStore({ credentials, fault }: EmbeddedOptions): Server {
  const buckets = new Map<string, ObjectTable>();
  return createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const asked = read(message, Buffer.concat(chunks));
      const answer = (): void => {
        const now = fault();
        if (now.kind === 'down') message.socket.destroy();
        else send(response, message, decide(asked, buckets, credentials));
      };
      const now = fault();
      if (now.kind === 'slow') setTimeout(answer, now.delayMs);
      else answer();
    });
  });
}

function read(message: IncomingMessage, body: Buffer): Asked {
  const url = message.url ?? '/';
  const at = url.indexOf('?');
  const [, bucket = '', ...key] = (at === -1 ? url : url.slice(0, at)).split('/').map(decode);
  return { message, body, bucket, key: key.join('/'), query: new URLSearchParams(at === -1 ? '' : url.slice(at + 1)) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function decide(asked: Asked, buckets: Map<string, ObjectTable>, credentials: Credentials): Answer {
  const { message, body, bucket, key } = asked;
  const { method = 'GET', url = '/', headers } = message;
  const refusal = refuse({ method, url, headers, body }, credentials, new Date());
  if (refusal !== undefined) return error(refusal, url);
  if (bucket === '') return error('MethodNotAllowed', url);
  const table = buckets.get(bucket);
  if (key === '' && method === 'PUT') {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) return error('InvalidBucketName', url);
    if (table !== undefined) return error('BucketAlreadyOwnedByYou', url);
    buckets.set(bucket, new ObjectTable());
    return { status: 200, headers: { Location: `/${bucket}` } };
  }
  if (table === undefined) return error('NoSuchBucket', url);
  return key === '' ? onBucket(asked, table) : onObject(asked, table);
}

function onBucket({ message: { method, url = '/' }, bucket, query }: Asked, table: ObjectTable): Answer {
  if (method === 'HEAD') return { status: 200 };
  if (method !== 'GET' || query.get('list-type') !== '2') return error('NotImplemented', url);
  const maxKeys = Number(query.get('max-keys') ?? 1000);
  if (!Number.isInteger(maxKeys) || maxKeys < 0) return error('InvalidArgument', url);
  const token = query.get('continuation-token');
  const request = {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after: token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString(),
    maxKeys: Math.min(maxKeys, 1000),
  };
  const listing = table.list(request);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/xml' },
    body: listXml(bucket, request, listing, query.get('encoding-type') === 'url'),
  };
}

function onObject({ message: { method, url = '/', headers }, key, body }: Asked, table: ObjectTable): Answer {
  switch (method) {
    case 'PUT':
      return { status: 200, headers: { ETag: `"${table.put(key, body, new Date()).etag}"` } };
    case 'DELETE':
      table.delete(key);
      return { status: 204 };
    case 'GET':
    case 'HEAD': {
      const object = table.get(key);
      if (object === undefined) return error('NoSuchKey', url);
      const about = {
        ETag: `"${object.etag}"`,
        'Last-Modified': object.modifiedAt.toUTCString(),
        'Accept-Ranges': 'bytes',
        'Content-Type': 'application/octet-stream',
      };
      const size = object.body.byteLength;
      const range = parseRange(headers.range, size);
      if (range === 'unsatisfiable') return error('InvalidRange', url);
      if (range === undefined) return { status: 200, headers: about, body: object.body };
      const [first, last] = range;
      return {
        status: 206,
        headers: { ...about, 'Content-Range': `bytes ${first}-${last}/${size}` },
        body: object.body.subarray(first, last + 1),
      };
    }
    default:
      return error('MethodNotAllowed', url);
  }
}

/** One range in bytes (RFC 9110, 14.1.2), both ends included; undefined where there is none that is understood. */
export function parseRange(
  header: string | undefined,
  size: number,
): readonly [first: number, last: number] | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < first) return undefined;
  return first >= size || last < first ? 'unsatisfiable' : [first, last];
}

function error(code: string, resource: string): Answer {
  const [status, message] = messages[code] ?? [500, code];
  return { status, headers: { 'Content-Type': 'application/xml' }, body: errorXml(code, message, resource) };
}

function send(response: ServerResponse, { method }: IncomingMessage, { status, headers, body }: Answer): void {
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'Content-Length': length }) });
  response.end(method === 'HEAD' ? undefined : body);
}

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Credentials } from './credentials.ts';
import { type ListRequest, type ObjectListing, ObjectTable } from './object-table.ts';
import { checkSignature } from './signature.ts';

interface StoreRequest {
  readonly message: IncomingMessage;
  readonly body: Buffer;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

interface StoreResponse {
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
  IncompleteBody: [400, 'You did not provide the number of bytes specified by the Content-Length HTTP header.'],
  InvalidRange: [416, 'The requested range is not satisfiable.'],
  InvalidArgument: [400, 'Invalid argument.'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  InternalError: [500, 'We encountered an internal error.'],
};

/** An in-memory S3 service, path-style, with the few operations that clients of one bucket need. It is not listening yet. */
export function createEmbeddedStore(credentials: Credentials): Server {
  const buckets = new Map<string, ObjectTable>();
  return createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const request = parseRequest(message, Buffer.concat(chunks));
      send(response, message, answer(request, buckets, credentials));
    });
  });
}

function parseRequest(message: IncomingMessage, body: Buffer): StoreRequest {
  const url = message.url ?? '/';
  const [path = '', ...search] = url.split('?');
  const [, bucket = '', ...key] = path.split('/').map(decode);
  return { message, body, bucket, key: key.join('/'), query: new URLSearchParams(search.join('?')) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function answer(request: StoreRequest, buckets: Map<string, ObjectTable>, credentials: Credentials): StoreResponse {
  const { message, body, bucket, key } = request;
  const { method = 'GET', url = '/', headers } = message;
  const refusal = checkSignature({ method, url, headers, body }, credentials, new Date());
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
  if (key === '') return answerForBucket(request, table);
  const content = isChunked(headers) ? decodeChunks(body) : body;
  if (content === undefined) return error('IncompleteBody', url);
  return answerForObject({ ...request, body: content }, { table, buckets });
}

const isChunked = (headers: IncomingHttpHeaders): boolean =>
  String(headers['x-amz-content-sha256']).startsWith('STREAMING-');

/** The content of an `aws-chunked` body: `<size in hex>;chunk-signature=...\r\n<bytes>\r\n`, and a last chunk of size 0. Undefined if it is cut off. */
export function decodeChunks(body: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, end), 16);
    if (end === -1 || Number.isNaN(size)) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    const start = end + 2;
    if (start + size > body.byteLength) return undefined;
    chunks.push(body.subarray(start, start + size));
    at = start + size + 2;
  }
}

/** Query parameters that turn a GET of a bucket into another operation than a list. */
const subresources = ['acl', 'cors', 'policy', 'uploads', 'versioning', 'versions'];

function answerForBucket(
  { message: { method, url = '/' }, bucket, query, body }: StoreRequest,
  table: ObjectTable,
): StoreResponse {
  if (method === 'HEAD') return { status: 200 };
  if (method === 'POST' && query.has('delete')) {
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key));
    for (const key of keys) table.delete(key);
    const deleted = keys.map((key) => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`).join('');
    return xml(`<DeleteResult xmlns="${namespace}">${deleted}</DeleteResult>`);
  }
  // Empty: us-east-1.
  if (method === 'GET' && query.has('location')) return xml(`<LocationConstraint xmlns="${namespace}"/>`);
  if (method !== 'GET' || subresources.some((name) => query.has(name))) return error('NotImplemented', url);
  const version = query.get('list-type') === '2' ? 2 : 1;
  const maxKeys = Number(query.get('max-keys') ?? 1000);
  if (!Number.isInteger(maxKeys) || maxKeys < 0) return error('InvalidArgument', url);
  const token = query.get('continuation-token');
  const listRequest = {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after:
      version === 1
        ? (query.get('marker') ?? '')
        : token === null
          ? (query.get('start-after') ?? '')
          : Buffer.from(token, 'base64url').toString(),
    maxKeys: Math.min(maxKeys, 1000),
  };
  const listing = table.list(listRequest);
  const encoded = query.get('encoding-type') === 'url';
  return xml(listXml({ bucket, request: listRequest, listing, version, encoded }));
}

function answerForObject(
  { message: { method, url = '/', headers }, key, body, query }: StoreRequest,
  { table, buckets }: { readonly table: ObjectTable; readonly buckets: ReadonlyMap<string, ObjectTable> },
): StoreResponse {
  const source = headers['x-amz-copy-source'];
  switch (method) {
    case 'PUT':
      if (query.has('partNumber')) return error('NotImplemented', url);
      if (typeof source === 'string') return copy(source, key, { table, buckets });
      return { status: 200, headers: { ETag: `"${table.put(key, body, new Date()).etag}"` } };
    case 'DELETE':
      table.delete(key);
      return { status: 204 };
    case 'GET':
    case 'HEAD': {
      const object = table.get(key);
      if (object === undefined) return error('NoSuchKey', url);
      const objectHeaders = {
        ETag: `"${object.etag}"`,
        'Last-Modified': object.modifiedAt.toUTCString(),
        'Accept-Ranges': 'bytes',
        'Content-Type': 'application/octet-stream',
      };
      const size = object.body.byteLength;
      const range = parseRange(headers.range, size);
      if (range === 'unsatisfiable') return error('InvalidRange', url);
      if (range === undefined) return { status: 200, headers: objectHeaders, body: object.body };
      const [first, last] = range;
      return {
        status: 206,
        headers: { ...objectHeaders, 'Content-Range': `bytes ${first}-${last}/${size}` },
        body: object.body.subarray(first, last + 1),
      };
    }
    default:
      return error('MethodNotAllowed', url);
  }
}

/** Copies `/bucket/key`, URL-encoded, to another key. */
function copy(
  source: string,
  key: string,
  { table, buckets }: { readonly table: ObjectTable; readonly buckets: ReadonlyMap<string, ObjectTable> },
): StoreResponse {
  const [bucket = '', ...path] = source.replace(/^\//, '').split('/').map(decode);
  const object = buckets.get(bucket)?.get(path.join('/'));
  if (object === undefined) return error('NoSuchKey', source);
  const { etag, modifiedAt } = table.put(key, object.body, new Date());
  return xml(
    `<CopyObjectResult xmlns="${namespace}"><LastModified>${modifiedAt.toISOString()}</LastModified><ETag>&#34;${etag}&#34;</ETag></CopyObjectResult>`,
  );
}

/** Parses a single byte range (RFC 9110, 14.1.2), both ends included; undefined if there is none or it is malformed. */
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

function error(code: string, resource: string): StoreResponse {
  const [status, message] = messages[code] ?? [500, code];
  return { ...xml(errorXml(code, message, resource)), status };
}

function xml(document: string): StoreResponse {
  return { status: 200, headers: { 'Content-Type': 'application/xml' }, body: `${declaration}${document}` };
}

function send(response: ServerResponse, { method }: IncomingMessage, { status, headers, body }: StoreResponse): void {
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'Content-Length': length }) });
  response.end(method === 'HEAD' ? undefined : body);
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An S3 error response. */
function errorXml(code: string, message: string, resource: string): string {
  return `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message><Resource>${escapeXml(resource)}</Resource></Error>`;
}

/** The response to ListObjects (version 1) or ListObjectsV2. `encoded`: keys are URL-encoded, as `encoding-type=url` requests. */
function listXml({
  bucket,
  request,
  listing,
  version,
  encoded,
}: {
  readonly bucket: string;
  readonly request: ListRequest;
  readonly listing: ObjectListing;
  readonly version: 1 | 2;
  readonly encoded: boolean;
}): string {
  const key = (raw: string): string => escapeXml(encoded ? encodeURIComponent(raw).replaceAll('%2F', '/') : raw);
  const contents = listing.objects.map(
    ({ key: name, body, etag, modifiedAt }) =>
      `<Contents><Key>${key(name)}</Key><LastModified>${modifiedAt.toISOString()}</LastModified><ETag>&#34;${etag}&#34;</ETag>` +
      `<Size>${body.byteLength}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const prefixes = listing.prefixes.map((prefix) => `<CommonPrefixes><Prefix>${key(prefix)}</Prefix></CommonPrefixes>`);
  return [
    `<ListBucketResult xmlns="${namespace}"><Name>${escapeXml(bucket)}</Name><Prefix>${key(request.prefix)}</Prefix>`,
    version === 1
      ? `<Marker>${key(request.after)}</Marker>`
      : `<KeyCount>${contents.length + prefixes.length}</KeyCount>`,
    `<MaxKeys>${request.maxKeys}</MaxKeys>`,
    request.delimiter === '' ? '' : `<Delimiter>${key(request.delimiter)}</Delimiter>`,
    encoded ? '<EncodingType>url</EncodingType>' : '',
    `<IsTruncated>${listing.next !== undefined}</IsTruncated>`,
    listing.next === undefined
      ? ''
      : version === 1
        ? `<NextMarker>${key(listing.next)}</NextMarker>`
        : `<NextContinuationToken>${Buffer.from(listing.next).toString('base64url')}</NextContinuationToken>`,
    ...contents,
    ...prefixes,
    '</ListBucketResult>',
  ].join('');
}

function escapeXml(raw: string): string {
  return raw.replace(/[<>&"']|\p{Cc}/gu, (c) => `&#${c.charCodeAt(0)};`);
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([\dA-Fa-f]+)|#(\d+)|(\w+));/g, (all, hex?: string, decimal?: string, name = '') =>
    hex || decimal
      ? String.fromCodePoint(Number.parseInt(hex ?? decimal ?? '', hex ? 16 : 10))
      : (entities[name] ?? all),
  );
}

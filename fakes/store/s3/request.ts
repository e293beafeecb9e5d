import aws4 from 'aws4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
}

/** One bucket of an S3 service, addressed path-style. */
export interface BucketAddress {
  /** `http://host:port`, without a path. */
  readonly endpoint: string;
  readonly bucket: string;
}

/** What is asked of the store. Without a key it is asked of the bucket itself. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** First and last byte, both included. */
  readonly range?: readonly [first: number, last: number];
  readonly body?: Uint8Array;
}

/** What node:http sends. */
export interface SignedRequest {
  readonly hostname: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** Builds and signs a request (AWS Signature Version 4, region us-east-1). Pure: the time is given. */
export function signRequest(
  { endpoint, bucket }: BucketAddress,
  credentials: Credentials,
  request: S3Request,
  now: Date,
): SignedRequest {
  const url = new URL(endpoint);
  const port = url.port === '' ? 80 : Number(url.port);
  const headers: Record<string, string> = { Host: url.host, 'X-Amz-Date': amzDate(now) };
  if (request.range !== undefined) headers.Range = `bytes=${request.range[0]}-${request.range[1]}`;
  if (request.body !== undefined) headers['Content-Type'] = 'application/octet-stream';
  if (request.method === 'PUT') headers['Content-Length'] = String(request.body?.byteLength ?? 0);
  const signed = aws4.sign(
    {
      service: 's3',
      region: 'us-east-1',
      method: request.method,
      path: requestPath(bucket, request),
      headers,
      ...(request.body === undefined ? {} : { body: asBuffer(request.body) }),
    },
    { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.accessKeySecret },
  );
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    method: request.method,
    path: signed.path ?? '/',
    headers: signed.headers as Record<string, string>,
    body: request.body,
  };
}

function requestPath(bucket: string, { key, query }: S3Request): string {
  const path = key === undefined ? `/${bucket}` : `/${bucket}/${key.split('/').map(encodeSegment).join('/')}`;
  const pairs = Object.entries(query ?? {}).map(([name, value]) => `${encodeSegment(name)}=${encodeSegment(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

/** RFC 3986: everything but the unreserved characters. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function amzDate(now: Date): string {
  return now.toISOString().replace(/[:-]|\.\d{3}/g, '');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

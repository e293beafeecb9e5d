import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import aws4 from 'aws4';
import type { Credentials } from './credentials.ts';

/** The signed parts of a request. `url` is not decoded. */
export interface SignedMessage {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** S3's error code for a request that it refuses. */
export type SignatureError =
  | 'AccessDenied'
  | 'InvalidAccessKeyId'
  | 'SignatureDoesNotMatch'
  | 'RequestTimeTooSkewed'
  | 'XAmzContentSHA256Mismatch';

const authorization =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

const maxSkewMs = 15 * 60 * 1000;

/** Checks an AWS Signature Version 4 by signing the same request again. Undefined if it is valid. */
export function checkSignature(
  message: SignedMessage,
  credentials: Credentials,
  now: Date,
): SignatureError | undefined {
  const { headers, body } = message;
  const [, accessKeyId, , region = '', signedHeaders = '', signature = ''] =
    authorization.exec(headers.authorization ?? '') ?? [];
  if (accessKeyId === undefined) return 'AccessDenied';
  if (accessKeyId !== credentials.accessKeyId) return 'InvalidAccessKeyId';
  const names = signedHeaders.split(';');
  const date = parseAmzDate(headers['x-amz-date']);
  if (date === undefined || !names.includes('host') || !names.includes('x-amz-date')) return 'AccessDenied';
  if (Math.abs(now.getTime() - date.getTime()) > maxSkewMs) return 'RequestTimeTooSkewed';
  const payload = headers['x-amz-content-sha256'];
  if (typeof payload !== 'string') return 'AccessDenied';
  if (!matches(expectedSignature(message, credentials, region, names), signature)) return 'SignatureDoesNotMatch';
  // The hash of a chunked body is in its chunks, whose signatures are not checked.
  if (payload.startsWith('STREAMING-')) return undefined;
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== createHash('sha256').update(body).digest('hex')) {
    return 'XAmzContentSHA256Mismatch';
  }
  return undefined;
}

function expectedSignature(
  { method, url, headers }: SignedMessage,
  { accessKeyId, accessKeySecret }: Credentials,
  region: string,
  names: readonly string[],
): string {
  const signed = Object.fromEntries(
    [...names, 'x-amz-date', 'x-amz-content-sha256'].map((name) => [name, headers[name] ?? '']),
  );
  const request = {
    service: 's3',
    region,
    method,
    path: url,
    headers: signed,
    // By default aws4 signs only some headers; other clients sign more.
    extraHeadersToInclude: Object.fromEntries(names.map((name) => [name, true])),
  };
  const { headers: expected } = aws4.sign(request, { accessKeyId, secretAccessKey: accessKeySecret });
  return authorization.exec(String(expected?.Authorization))?.[5] ?? '';
}

function matches(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

function parseAmzDate(header: string | string[] | undefined): Date | undefined {
  if (typeof header !== 'string' || !/^\d{8}T\d{6}Z$/.test(header)) return undefined;
  return new Date(header.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type S3Request, signRequest } from './s3-client.ts';
import { checkSignature } from './signature.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', accessKeySecret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const address = { endpoint: 'http://127.0.0.1:9000', bucket: 'bucket' };
const now = new Date('2025-07-01T15:17:00Z');

/** The request as a server receives it: header names in lower case. */
const receive = (request: S3Request) => {
  const { method, path, headers } = signRequest(address, credentials, request, now);
  return {
    method,
    url: path,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(request.body ?? []),
  };
};

describe('signRequest', () => {
  it('addresses an object path-style, with a range', () => {
    const signed = signRequest(address, credentials, { method: 'GET', key: 'dir/a b+ä', range: [4, 9] }, now);
    expect(signed).toMatchObject({
      hostname: '127.0.0.1',
      port: 9000,
      method: 'GET',
      path: '/bucket/dir/a%20b%2B%C3%A4',
    });
    expect(signed.headers).toMatchObject({
      Host: '127.0.0.1:9000',
      Range: 'bytes=4-9',
      'X-Amz-Date': '20250701T151700Z',
      Authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20250701\/us-east-1\/s3\/aws4_request, SignedHeaders=host;.*, Signature=[0-9a-f]{64}$/,
      ),
    });
  });

  it('addresses the bucket if there is no key', () => {
    const signed = signRequest(address, credentials, { method: 'GET', query: { prefix: 'a/', 'list-type': '2' } }, now);
    expect(signed.path).toBe('/bucket?prefix=a%2F&list-type=2');
  });

  it('never contains the secret', () => {
    const signed = signRequest(address, credentials, { method: 'PUT', key: 'k', body: Buffer.from('v') }, now);
    expect(JSON.stringify(signed)).not.toContain(credentials.accessKeySecret);
  });

  it('makes valid signatures for any key, query and body', () => {
    const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((s) => s !== '.' && s !== '..');
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1 }),
        fc.string({ unit: 'binary' }),
        fc.uint8Array(),
        (key, prefix, body) => {
          const request = { method: 'PUT', key: key.join('/'), query: { prefix }, body } as const;
          expect(checkSignature(receive(request), credentials, now)).toBeUndefined();
        },
      ),
    );
  });
});

describe('checkSignature', () => {
  const good = receive({ method: 'PUT', key: 'k', body: Buffer.from('v') });
  const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);

  it.each([
    ['no signature', { ...good, headers: {} }, now, 'AccessDenied'],
    ['another method', { ...good, method: 'DELETE' }, now, 'SignatureDoesNotMatch'],
    ['another path', { ...good, url: '/bucket/other' }, now, 'SignatureDoesNotMatch'],
    ['another signed header', { ...good, headers: { ...good.headers, host: 'other' } }, now, 'SignatureDoesNotMatch'],
    ['another body', { ...good, body: Buffer.from('w') }, now, 'XAmzContentSHA256Mismatch'],
    ['a clock that is 16 minutes off', good, later(16), 'RequestTimeTooSkewed'],
  ])('refuses %s', (_case, message, time, code) => {
    expect(checkSignature(message, credentials, time)).toBe(code);
  });

  it('distinguishes a wrong secret from an unknown key id', () => {
    expect(checkSignature(good, { ...credentials, accessKeySecret: 'x' }, now)).toBe('SignatureDoesNotMatch');
    expect(checkSignature(good, { ...credentials, accessKeyId: 'x' }, now)).toBe('InvalidAccessKeyId');
  });

  it('accepts a request that is 14 minutes old', () => {
    expect(checkSignature(good, credentials, later(14))).toBeUndefined();
  });
});

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { selfSigned } from './certificate.ts';
import * as der from './der.ts';

const options = {
  names: ['fluid-webhook.fluid-system.svc', 'localhost', '127.0.0.1', '::1', '2001:db8::42:0:1'],
  notBefore: new Date('2025-11-22T10:00:00Z'),
  notAfter: new Date('2055-11-22T10:00:00Z'),
  serial: 0xff00n,
} as const;

describe('a self-signed certificate', () => {
  const { certificate, key } = selfSigned({ ...options, names: [...options.names] });
  const parsed = new X509Certificate(certificate);

  it('is read by OpenSSL with the names, times and serial number that it was made with', () => {
    expect(parsed.subject).toBe('CN=fluid-webhook.fluid-system.svc');
    expect(parsed.issuer).toBe(parsed.subject);
    expect(parsed.subjectAltName).toBe(
      'DNS:fluid-webhook.fluid-system.svc, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:42:0:1',
    );
    expect(parsed.validFromDate).toEqual(options.notBefore);
    expect(parsed.validToDate).toEqual(options.notAfter);
    expect(parsed.serialNumber).toBe('FF00');
    expect(parsed.ca).toBe(true);
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('is signed by its own key', () => {
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.verify(new X509Certificate(selfSigned({ ...options, names: ['x'] }).certificate).publicKey)).toBe(
      false,
    );
  });

  it.each([
    ['127.0.0.1', 'ok'],
    ['localhost', 'ok'],
    ['localhost.localdomain', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('serves TLS to a client that trusts it and calls %s', async (servername, expected) => {
    await using stack = new AsyncDisposableStack();
    const server = createServer({ key, cert: certificate }, (_request, response) => response.end('ok'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const seen = await new Promise((resolve) => {
      // `localhost` may resolve to ::1 alone: the address is fixed, the name is what is checked.
      const lookup = (_name: string, _options: object, done: (error: null, addresses: object[]) => void) =>
        done(null, [{ address: '127.0.0.1', family: 4 }]);
      get({ host: servername, port, ca: certificate, agent: false, lookup: lookup as never }, (response) => {
        response.resume();
        resolve('ok');
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(seen).toBe(expected);
  });
});

describe('DER', () => {
  it.each([
    ['a short length', der.octets(Buffer.alloc(2)), '04020000'],
    ['a length of 128', der.octets(Buffer.alloc(128)).subarray(0, 3), '048180'],
    ['a length of 300', der.octets(Buffer.alloc(300)).subarray(0, 4), '0482012c'],
    ['zero', der.integer(0n), '020100'],
    ['a number whose first bit is set', der.integer(0x80n), '02020080'],
    ['an identifier with a part above 127', der.identifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['a time before 2050', der.time(new Date('2049-12-31T23:59:59Z')), '170d3439313233313233353935395a'],
    ['a time after 2050', der.time(new Date('2050-01-01T00:00:00Z')), '180f32303530303130313030303030305a'],
    ['a truth', der.boolean(true), '0101ff'],
  ])('writes %s', (_what, bytes, hex) => {
    expect(bytes.toString('hex')).toBe(hex);
  });
});

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  type CertificateStore,
  createCertificateManager,
  createSelfSigned,
  type ServingCertificate,
} from './certificate.ts';

describe('a self-signed certificate', async () => {
  const options = {
    names: ['fluid-webhook.fluid-system.svc', 'localhost', '127.0.0.1', '::1', '2001:db8::42:0:1'],
    notBefore: new Date('2025-11-22T10:00:00Z'),
    notAfter: new Date('2055-11-22T10:00:00Z'),
  } as const;
  const { certificate, key } = await createSelfSigned({ ...options, names: [...options.names] });
  const parsed = new X509Certificate(certificate);

  it('has the requested names and validity, and may sign itself and serve TLS', () => {
    expect(parsed.subject).toBe('CN=fluid-webhook.fluid-system.svc');
    expect(parsed.issuer).toBe(parsed.subject);
    expect(parsed.subjectAltName).toBe(
      'DNS:fluid-webhook.fluid-system.svc, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:42:0:1',
    );
    expect(parsed.validFromDate).toEqual(options.notBefore);
    expect(parsed.validToDate).toEqual(options.notAfter);
    expect(parsed.serialNumber).toMatch(/^01[0-9A-F]{16}$/);
    expect(parsed.ca).toBe(true);
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it('is signed with its own key', async () => {
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    const other = await createSelfSigned({ ...options, names: ['x'] });
    expect(parsed.verify(new X509Certificate(other.certificate).publicKey)).toBe(false);
  });

  it('shortens a common name that is longer than 64 characters', async () => {
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.svc`;
    const long = new X509Certificate((await createSelfSigned({ ...options, names: [name] })).certificate);
    expect(long.subject).toBe(`CN=${name.slice(0, 64)}`);
    expect(long.checkHost(name)).toBe(name);
  });

  it.each([
    ['127.0.0.1', 'ok'],
    ['localhost', 'ok'],
    ['localhost.localdomain', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('serves TLS to a client that trusts it and connects to %s', async (servername, expected) => {
    await using stack = new AsyncDisposableStack();
    const server = createServer({ key, cert: certificate }, (_request, response) => response.end('ok'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const result = await new Promise((resolve) => {
      // `localhost` may resolve to ::1 only, so the address is fixed and only the name is verified.
      const lookup = (_name: string, _options: object, done: (error: null, addresses: object[]) => void) =>
        done(null, [{ address: '127.0.0.1', family: 4 }]);
      get({ host: servername, port, ca: certificate, agent: false, lookup: lookup as never }, (response) => {
        response.resume();
        resolve('ok');
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(result).toBe(expected);
  });
});

describe('the certificate manager', () => {
  const names = ['fluid-webhook.fluid-system.svc', 'fluid-webhook.fluid-system'] as const;
  const day = 24 * 3600 * 1000;

  /** A Secret in memory. */
  function createStore(
    stored?: ServingCertificate,
  ): CertificateStore & { stored: ServingCertificate | undefined; writes: number } {
    let version = 0;
    return {
      stored,
      writes: 0,
      async read() {
        return { stored: this.stored, version: String(version) };
      },
      async write(next, expected) {
        if (expected !== String(version)) return false;
        version++;
        this.writes++;
        this.stored = next;
        return true;
      },
    };
  }

  function createClock(start = Date.parse('2026-11-22T12:00:00Z')) {
    let time = start;
    return {
      now: () => new Date(time),
      advance(ms: number) {
        time += ms;
      },
    };
  }

  const managerFor = (store: CertificateStore | undefined, now: () => Date) =>
    createCertificateManager({ names: [...names], store, now });

  it('creates a certificate for its names that is the only authority at first', async () => {
    const { now } = createClock();
    const current = await managerFor(undefined, now).current();
    const parsed = new X509Certificate(current.certificate);
    expect(names.map((name) => parsed.checkHost(name))).toEqual([...names]);
    expect(current.authorities).toBe(current.certificate);
  });

  it('keeps an unshared certificate until it must be renewed', async () => {
    const clock = createClock();
    const manager = managerFor(undefined, clock.now);
    const first = await manager.current();
    expect(await manager.current()).toEqual(first);
    clock.advance(61 * day);
    expect((await manager.current()).authorities).toContain(first.certificate);
  });

  it('gives all replicas the same certificate, even if they start at the same moment', async () => {
    const { now } = createClock();
    const store = createStore();
    const [one, other] = await Promise.all([managerFor(store, now).current(), managerFor(store, now).current()]);
    expect(one).toEqual(other);
    expect(store.writes).toBe(1);
  });

  it('renews a certificate a month before it expires and keeps trusting its predecessor', async () => {
    const clock = createClock();
    const store = createStore();
    const [one, other] = [managerFor(store, clock.now), managerFor(store, clock.now)];
    const first = await one.current();
    clock.advance(59 * day);
    expect(await one.current()).toEqual(first);
    clock.advance(2 * day);
    const second = await one.current();
    expect(second.certificate).not.toBe(first.certificate);
    expect(second.authorities).toBe(second.certificate + first.certificate);
    expect(await other.current()).toEqual(second);
  });

  it.each<[string, string]>([
    ['something that is not a certificate', 'nonsense'],
    ['an empty entry', ''],
  ])('replaces %s and does not trust it', async (_, certificate) => {
    const { now } = createClock();
    const valid = await managerFor(undefined, now).current();
    const current = await managerFor(createStore({ ...valid, certificate }), now).current();
    expect(new X509Certificate(current.certificate).checkHost(names[0])).toBe(names[0]);
    expect(current.authorities).toBe(current.certificate);
  });

  it('replaces a certificate for other names, as after a change of namespace', async () => {
    const { now } = createClock();
    const former = await createCertificateManager({ names: ['elsewhere.svc'], store: undefined, now }).current();
    const current = await managerFor(createStore(former), now).current();
    expect(new X509Certificate(current.certificate).checkHost(names[0])).toBe(names[0]);
  });

  it('gives up if another writer changes the store every time', async () => {
    const { now } = createClock();
    const store = { ...createStore(), write: async () => false };
    await expect(managerFor(store, now).current()).rejects.toThrow('another writer changed it 10 times');
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';

let server: Server;
let proxy: FaultyProxy;

beforeEach(async () => {
  server = createServer(({ headers }, response) => response.end(headers.host));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startFaultyProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

const fetchText = async () => (await fetch(proxy.endpoint)).text();

describe('a faulty proxy', () => {
  it('forwards requests with their Host header, which is part of signatures', async () => {
    expect(await fetchText()).toBe(new URL(proxy.endpoint).host);
  });

  it('closes connections while it is down, and no longer', async () => {
    await fetchText();
    {
      using _ = proxy.inject({ kind: 'down' });
      await expect(fetchText()).rejects.toThrow();
    }
    expect(await fetchText()).toBeTruthy();
  });

  it('delays responses while it is slow', async () => {
    const began = performance.now();
    using _ = proxy.inject({ kind: 'slow', delayMs: 50 });
    await fetchText();
    expect(performance.now() - began).toBeGreaterThanOrEqual(49);
  });

  it('keeps the latest fault if an earlier one ends first', async () => {
    const slow = proxy.inject({ kind: 'slow', delayMs: 1 });
    using _ = proxy.inject({ kind: 'down' });
    slow[Symbol.dispose]();
    await expect(fetchText()).rejects.toThrow();
  });
});

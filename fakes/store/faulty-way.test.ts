import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultyWay, openFaultyWay } from './faulty-way.ts';

let server: Server;
let way: FaultyWay;

beforeEach(async () => {
  server = createServer(({ headers }, response) => response.end(headers.host));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  way = await openFaultyWay(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await way[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

const ask = async () => (await fetch(way.endpoint)).text();

describe('a way to the store', () => {
  it('passes all on, with the address that was asked for, because signatures are about it', async () => {
    expect(await ask()).toBe(new URL(way.endpoint).host);
  });

  it('cuts connections while it is down, and no longer', async () => {
    await ask();
    {
      using _ = way.trouble({ kind: 'down' });
      await expect(ask()).rejects.toThrow();
    }
    expect(await ask()).toBeTruthy();
  });

  it('delays answers while it is slow', async () => {
    const began = performance.now();
    using _ = way.trouble({ kind: 'slow', delayMs: 50 });
    await ask();
    expect(performance.now() - began).toBeGreaterThanOrEqual(49);
  });

  it('goes back to what was asked last, whichever ends first', async () => {
    const slow = way.trouble({ kind: 'slow', delayMs: 1 });
    using _ = way.trouble({ kind: 'down' });
    slow[Symbol.dispose]();
    await expect(ask()).rejects.toThrow();
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiException, CoreV1Api } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApiServer } from './api-server.ts';
import { clientConfig } from './client-config.ts';

describe('the client of a fake API server', () => {
  let parts: AsyncDisposableStack;

  beforeEach(() => {
    parts = new AsyncDisposableStack();
  });

  afterEach(() => parts.disposeAsync());

  it('sends consecutive requests over one connection, each with the token', async () => {
    const seen: (string | undefined)[] = [];
    let connections = 0;
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json').end('{"items":[]}');
    }).on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    parts.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const core = clientConfig({ url: `http://127.0.0.1:${port}`, token: 't' }).makeApiClient(CoreV1Api);
    for (let count = 0; count < 3; count++) expect((await core.listNamespace()).items).toEqual([]);
    expect(seen).toEqual(['Bearer t', 'Bearer t', 'Bearer t']);
    expect(connections).toBe(1);
  });

  it('throws the code of a refusal', async () => {
    const server = parts.use(await startApiServer({ port: 0, token: 't' }));
    const ask = (token: string) =>
      clientConfig({ url: server.url, token })
        .makeApiClient(CoreV1Api)
        .readNamespacedPod({ namespace: 'default', name: 'none' });
    const codes = await Promise.all(
      ['t', 'another'].map((token) =>
        ask(token).catch((error: unknown) => (error instanceof ApiException ? error.code : error)),
      ),
    );
    expect(codes).toEqual([404, 401]);
  });
});

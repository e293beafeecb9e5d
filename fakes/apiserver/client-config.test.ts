import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ApiException, CoreV1Api, HttpMethod, RequestContext } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApiServer } from './api-server.ts';
import { type Authority, createAuthority } from './authority.ts';
import { clientConfig } from './client-config.ts';
import { kubeConfigText } from './kubeconfig.ts';

describe('the client of a fake API server', () => {
  let parts: AsyncDisposableStack;
  let authority: Authority;
  let url: string;
  let connections: number;
  let seen: (string | undefined)[];

  beforeEach(async () => {
    parts = new AsyncDisposableStack();
    authority = await createAuthority(new Date());
    connections = 0;
    seen = [];
    const { key, certificate: cert } = await authority.issueServer(['127.0.0.1']);
    const server = createServer({ key, cert }, (request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json').end('{"items":[]}');
    }).on('secureConnection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    parts.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => parts.disposeAsync());

  const config = (user: { readonly token: string }, trusted: Authority = authority) =>
    clientConfig(kubeConfigText({ url, authority: trusted.certificate, user }));

  it('sends consecutive requests over one connection, each with the token', async () => {
    const core = config({ token: 't' }).makeApiClient(CoreV1Api);
    for (let count = 0; count < 3; count++) expect((await core.listNamespace()).items).toEqual([]);
    expect(seen).toEqual(['Bearer t', 'Bearer t', 'Bearer t']);
    expect(connections).toBe(1);
  });

  it('uses one connection pool for all watches', async () => {
    const shared = config({ token: 't' });
    const pools = [1, 2].map(async () => {
      const context = new RequestContext(url, HttpMethod.GET);
      await shared.applySecurityAuthentication(context);
      return context.getDispatcher();
    });
    const [first, second] = await Promise.all(pools);
    expect(first).toBeDefined();
    expect(second).toBe(first);
  });

  it('refuses a server of another authority', async () => {
    const core = config({ token: 't' }, await createAuthority(new Date())).makeApiClient(CoreV1Api);
    await expect(core.listNamespace()).rejects.toThrow('certificate');
    expect(seen).toEqual([]);
  });

  it('throws the code of a refusal', async () => {
    const server = parts.use(await startApiServer({ port: 0 }));
    const ask = (text: string) =>
      clientConfig(text).makeApiClient(CoreV1Api).readNamespacedPod({ namespace: 'default', name: 'none' });
    const { server: address = '', caData = '' } = clientConfig(server.kubeConfig).getCurrentCluster() ?? {};
    const stranger = kubeConfigText({
      url: address,
      authority: Buffer.from(caData, 'base64').toString(),
      user: { token: 'another' },
    });
    const codes = await Promise.all(
      [server.kubeConfig, stranger].map((text) =>
        ask(text).catch((error: unknown) => (error instanceof ApiException ? error.code : error)),
      ),
    );
    expect(codes).toEqual([404, 401]);
  });
});

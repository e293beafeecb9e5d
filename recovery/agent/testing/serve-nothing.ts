import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts an API server with empty lists and quiet watches. Returns its kubeconfig. */
export async function serveNothing(parts: AsyncDisposableStack): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(200);
    if (request.url?.includes('watch=')) response.flushHeaders();
    else response.end('{"metadata":{"resourceVersion":"1"},"items":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  parts.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  return JSON.stringify({
    clusters: [{ name: 'idle', cluster }],
    users: [{ name: 'idle', user: {} }],
    contexts: [{ name: 'idle', context: { cluster: 'idle', user: 'idle' } }],
    'current-context': 'idle',
  });
}

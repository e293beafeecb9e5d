import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Docker } from '../images/docker.ts';
import type { PlaceOptions } from '../lifecycle/place.ts';
import type { Recorder } from './recorder.ts';

/** A kubeconfig of a cluster at an address where nothing listens. */
export const kubeConfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'c',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 't' } }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
});

export const runId = '20261122-134501-k3f9';

/** Docker that has every image. */
const docker: Docker = {
  hasImage: async () => true,
  build: async () => {},
  pull: async () => {},
  save: async () => {},
};

export interface TestPlace {
  readonly options: PlaceOptions;
  readonly lines: string[];
  readonly interrupt: () => void;
}

/** Options for places whose programs are the recorder's. */
export function placeOptions(recorder: Recorder): TestPlace {
  const lines: string[] = [];
  const controller = new AbortController();
  const { folder, environment } = recorder;
  return {
    lines,
    interrupt: () => controller.abort(new Error('interrupted')),
    options: {
      docker,
      runId,
      resultsDir: folder,
      diagnosticsDir: folder,
      environment,
      signal: controller.signal,
      onProgress: (line) => void lines.push(line),
    },
  };
}

/** A server that takes every change of a node and remembers it, and a kubeconfig that leads there. */
export async function servedKubeConfig() {
  const patched: { readonly url: string; readonly body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    patched.push({ url: request.url ?? '', body: JSON.parse(await text(request)) });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind":"Node","apiVersion":"v1"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    kubeConfig: kubeConfig.replace(
      '"https://127.0.0.1:1"',
      `"http://127.0.0.1:${port}","insecure-skip-tls-verify":true`,
    ),
    patched,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

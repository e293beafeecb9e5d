import { request } from 'node:http';

export interface DockerRequest {
  readonly method: 'GET' | 'DELETE';
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface DockerAnswer {
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 5_000;

/**
 * Asks Docker's API by its unix socket (`DOCKER_HOST` where that is a `unix://` address), so that neither the program nor
 * its client library is needed. Undefined where nothing listens there or no answer came in time.
 */
export function askDocker({ method, path, env }: DockerRequest): Promise<DockerAnswer | undefined> {
  const host = env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  if (!host.startsWith('unix://')) return Promise.resolve(undefined);
  const socketPath = host.slice('unix://'.length);
  return new Promise((resolve) => {
    const sent = request({ socketPath, method, path, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    sent.on('error', () => resolve(undefined));
    sent.end();
  });
}

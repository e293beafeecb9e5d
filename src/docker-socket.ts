import { request } from 'node:http';

export interface DockerRequest {
  readonly method: 'GET' | 'DELETE';
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface DockerResponse {
  readonly status: number;
  readonly body: string;
}

const timeoutMs = 5_000;

/**
 * Sends a request to Docker's API by its unix socket (`DOCKER_HOST` if that is a `unix://` address), so that neither the docker
 * program nor a client library is needed. Resolves with undefined if the socket does not respond within five seconds.
 */
export function requestDocker({ method, path, env }: DockerRequest): Promise<DockerResponse | undefined> {
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

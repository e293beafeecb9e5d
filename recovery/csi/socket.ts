import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { type CsiResult, rejected, succeeded } from './status.ts';

/** Longest path of a unix socket without the terminating zero (`man 7 unix`). */
const maxSocketPathLength = 107;

/** Parses the path of a CSI endpoint, `unix:///path` or `unix:/path`. */
export function parseEndpoint(endpoint: string): CsiResult<string> {
  const path = /^unix:(?:\/\/)?(\/(?!\/).+)$/.exec(endpoint)?.[1];
  if (path === undefined) return rejected('INVALID_ARGUMENT', `endpoint "${endpoint}" is not of the form unix:///path`);
  if (Buffer.byteLength(path) > maxSocketPathLength) {
    const message = `endpoint "${endpoint}" is longer than the ${maxSocketPathLength} bytes of a socket path`;
    return rejected('INVALID_ARGUMENT', message);
  }
  return succeeded(path);
}

/** A gRPC server on a unix socket. */
export interface GrpcServer extends AsyncDisposable {
  /** The socket's path. The socket is removed at disposal. */
  readonly path: string;
}

/** How long active calls may continue at disposal. */
const graceMs = 300;

/**
 * Listens on a unix socket. Creates its directory and replaces a socket that a former instance has left. Rejects with one
 * sentence if that fails.
 */
export async function listenOn(server: Server, path: string): Promise<GrpcServer> {
  prepareSocketPath(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) resolve();
    else reject(new Error(`cannot listen on unix://${path}`, { cause: error }));
  });
  await promise;
  return { path, [Symbol.asyncDispose]: () => shutDown(server) };
}

function prepareSocketPath(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} exists and is not a socket: choose another --endpoint or remove it`);
  unlinkSync(path);
}

async function shutDown(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => server.forceShutdown(), graceMs);
  server.tryShutdown(() => resolve());
  await promise;
  clearTimeout(timer);
}

import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/** A gRPC server on a unix socket. */
export interface GrpcServer extends AsyncDisposable {
  /** The socket's path. Removed at disposal. */
  readonly path: string;
}

/** How long calls that are under way may go on at disposal. */
const graceMs = 300;

/**
 * Listens on a unix socket; its directory is made, a socket left by a former instance is removed. Rejects with a sentence where
 * that cannot be.
 */
export async function listenOn(server: Server, path: string): Promise<GrpcServer> {
  makeRoom(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) resolve();
    else reject(new Error(`cannot listen on unix://${path}`, { cause: error }));
  });
  await promise;
  return { path, [Symbol.asyncDispose]: () => shutDown(server) };
}

function makeRoom(path: string): void {
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

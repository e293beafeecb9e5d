import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { openBucket } from './open-bucket.ts';
import { type StartRequest, type Store, StoreUnavailable } from './store.ts';

/** MinIO does not end with its standard input, so a shell waits for that, ends it and removes its data. */
const leash = [
  'data=$1; shift; exec 3<&0',
  '"$@" "$data" </dev/null >&2 3<&- & server=$!',
  '{ while read -r _ <&3; do :; done; kill "$server"; } & reader=$!',
  'wait "$server"; status=$?',
  'rm -rf "$data"; kill "$reader" 2>/dev/null; exit "$status"',
].join('\n');

/** Path of the `minio` program; undefined where there is none on the PATH. */
export function findMinio(path: string | undefined): string | undefined {
  return (path ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'minio'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Starts the `minio` program that is on the PATH, on a free port, with a data folder of its own that goes with it. */
export async function startMinioBinary(request: StartRequest): Promise<Store> {
  const { runId, bucket, credentials, environment, signal } = request;
  const program = findMinio(environment.PATH);
  if (program === undefined) throw new StoreUnavailable('minio-binary', 'no program minio is on the PATH');
  await using scope = new AsyncDisposableStack();
  const data = scope.adopt(await mkdtemp(join(tmpdir(), `rekindle-${runId}-minio-`)), (directory) =>
    rm(directory, { recursive: true, force: true }),
  );
  const port = await freePort();
  const server = [program, 'server', '--quiet', '--address', `127.0.0.1:${port}`];
  const process_ = scope.use(
    startChild({
      runId,
      command: ['/bin/sh', '-c', leash, 'minio', data, ...server],
      environment: {
        PATH: environment.PATH,
        HOME: data,
        MINIO_ROOT_USER: credentials.accessKeyId,
        MINIO_ROOT_PASSWORD: credentials.accessKeySecret,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
      },
    }),
  );
  const endpoint = `http://127.0.0.1:${port}`;
  const waiting = new AbortController();
  const opened = scope.use(
    await Promise.race([
      process_.ended.then((why) => Promise.reject(new StoreUnavailable('minio-binary', why))),
      openBucket({
        address: { endpoint, bucket },
        credentials,
        kind: 'minio-binary',
        signal: AbortSignal.any([signal, waiting.signal]),
      }),
    ]).finally(() => waiting.abort()),
  );
  const owned = scope.move();
  return {
    kind: 'minio-binary',
    description: `MinIO (${program})`,
    endpoint,
    bucket,
    ...credentials,
    putObject: opened.putObject,
    injectFault: undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

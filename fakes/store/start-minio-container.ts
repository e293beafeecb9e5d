import { request as send } from 'node:http';
import { openBucket } from './open-bucket.ts';
import { type StartRequest, type Store, StoreUnavailable } from './store.ts';

/** The last image with a maintained community release; pinned, because upstream publishes none any more. */
export const minioImage = 'minio/minio:RELEASE.2025-09-07T16-13-09Z';

/** Label of every container of a run; `rekindle clean` looks for it. */
const runLabel = 'rekindle.run-id';

/** Why MinIO cannot be had in a container here; undefined where it can. Loads neither Docker's program nor Testcontainers. */
export async function whyNoContainer(environment: StartRequest['environment']): Promise<string | undefined> {
  const docker = await askDocker(environment.DOCKER_HOST, `/images/${encodeURIComponent(minioImage)}/json`);
  if (docker.status === undefined) return `Docker does not answer: ${docker.why}`;
  if (docker.status === 200 || environment.REKINDLE_PULL === '1') return undefined;
  return `Docker has no image ${minioImage}, and REKINDLE_PULL=1 is not set`;
}

/** Starts MinIO by Testcontainers where Docker answers and has the image, or may pull it (`REKINDLE_PULL=1`). */
export async function startMinioContainer(request: StartRequest): Promise<Store> {
  const { runId, bucket, credentials, environment, signal, onProgress } = request;
  const why = await whyNoContainer(environment);
  if (why !== undefined) throw new StoreUnavailable('minio-container', why);
  signal.throwIfAborted();
  onProgress(`starting ${minioImage}`);
  // Testcontainers takes its settings from the process's environment only. Its reaper is an image of its own, which is
  // often not to be had; what a killed run leaves is found by its label instead.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const { MinioContainer } = await import('@testcontainers/minio');
  await using scope = new AsyncDisposableStack();
  const container = scope.adopt(
    await new MinioContainer(minioImage)
      .withUsername(credentials.accessKeyId)
      .withPassword(credentials.accessKeySecret)
      .withLabels({ [runLabel]: runId })
      .start()
      .catch((cause: unknown) => {
        throw new StoreUnavailable('minio-container', cause instanceof Error ? cause.message : String(cause), {
          cause,
        });
      }),
    (started) => started.stop({ timeout: 2_000 }).then(() => undefined),
  );
  signal.throwIfAborted();
  const endpoint = container.getConnectionUrl();
  const opened = scope.use(
    await openBucket({ address: { endpoint, bucket }, credentials, kind: 'minio-container', signal }),
  );
  const owned = scope.move();
  return {
    kind: 'minio-container',
    description: `MinIO (container, ${minioImage})`,
    endpoint,
    bucket,
    ...credentials,
    putObject: opened.putObject,
    injectFault: undefined,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** One question to Docker's API. */
function askDocker(
  dockerHost: string | undefined,
  path: string,
): Promise<
  { readonly status: number; readonly why?: undefined } | { readonly status: undefined; readonly why: string }
> {
  const where = dockerAddress(dockerHost ?? 'unix:///var/run/docker.sock');
  if (where === undefined)
    return Promise.resolve({ status: undefined, why: `DOCKER_HOST=${dockerHost} is not understood` });
  return new Promise((resolve) => {
    const asked = send({ ...where, path, timeout: 2_000 }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0 });
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in 2 s')));
    asked.on('error', (error) => resolve({ status: undefined, why: error.message }));
    asked.end();
  });
}

function dockerAddress(
  host: string,
): { readonly socketPath: string } | { readonly host: string; readonly port: number } | undefined {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const [, name, port] = /^(?:tcp|http):\/\/([^:/]+):(\d+)\/?$/.exec(host) ?? [];
  return name === undefined ? undefined : { host: name, port: Number(port) };
}

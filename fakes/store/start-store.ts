import { runCredentials } from './run-credentials.ts';
import { startEmbedded } from './start-embedded.ts';
import { startMinioBinary } from './start-minio-binary.ts';
import { startMinioContainer } from './start-minio-container.ts';
import { type StartRequest, type Store, type StoreKind, type StoreOptions, StoreUnavailable } from './store.ts';

const order = ['minio-binary', 'minio-container', 'embedded'] as const satisfies readonly StoreKind[];

/**
 * Starts an object store with one empty bucket: the first of a `minio` program, MinIO in a container, and the embedded
 * store that can be had here, or just the one that is preferred. Rejects with `StoreUnavailable`.
 */
export async function startStore(options: StoreOptions): Promise<Store> {
  const request = { ...options, credentials: options.credentials ?? runCredentials() };
  if (options.prefer !== undefined) return start(options.prefer, request);
  for (const kind of order) {
    try {
      return await start(kind, request);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || kind === 'embedded') throw error;
      options.onProgress(error.message);
    }
  }
  throw new TypeError('the embedded store is the last of the order');
}

function start(kind: StoreKind, request: StartRequest): Promise<Store> {
  switch (kind) {
    case 'minio-binary':
      return startMinioBinary(request);
    case 'minio-container':
      return startMinioContainer(request);
    case 'embedded':
      return startEmbedded(request);
  }
}

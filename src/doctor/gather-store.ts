import { askDocker } from '../docker-socket.ts';
import type { StoreFacts } from './facts.ts';
import { programOnPath } from './program-on-path.ts';

export interface GatherStoreOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** MinIO's image, with its tag. */
  readonly image: string;
}

/** Looks for what could serve as object store: a `minio` binary, Docker and the image. Starts and pulls nothing. */
export async function gatherStore({ env, image }: GatherStoreOptions): Promise<StoreFacts> {
  const minio = programOnPath('minio', env);
  const version = await askDocker({ method: 'GET', path: '/version', env });
  const found = await askDocker({ method: 'GET', path: `/images/${encodeURIComponent(image)}/json`, env });
  const docker =
    version?.status === 200
      ? { version: (JSON.parse(version.body) as { Version: string }).Version, image: found?.status === 200 }
      : undefined;
  return { ...(minio === undefined ? {} : { minio }), ...(docker === undefined ? {} : { docker }) };
}

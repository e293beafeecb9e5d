import type { Credentials } from './s3/request.ts';

export type StoreKind = 'minio-binary' | 'minio-container' | 'embedded';

/** What can be wrong with the store. `down`: connections are accepted and cut. `slow`: each answer waits. */
export type StoreFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'down' }
  | { readonly kind: 'slow'; readonly delayMs: number };

/** A running object store with one bucket. Disposing of it ends its process or container and removes its data. */
export interface Store extends AsyncDisposable {
  readonly kind: StoreKind;
  /** One phrase for reports: `MinIO (binary, version ...)`. */
  readonly description: string;
  /** `http://host:port`, path-style; 127.0.0.1 but for a container. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  putObject(key: string, body: Uint8Array): Promise<void>;
  /** Makes the store fail until disposed of; undefined where this kind of store cannot be made to. */
  readonly injectFault: ((fault: StoreFault) => Promise<AsyncDisposable>) | undefined;
}

export interface StoreOptions {
  readonly runId: string;
  readonly bucket: string;
  /** Made up for the run where they are not given. */
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
  /** Takes one line for each step. */
  readonly onProgress: (line: string) => void;
  /** `PATH` finds MinIO and is handed on; `DOCKER_HOST` finds Docker; `REKINDLE_PULL=1` allows to pull MinIO's image. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes this kind or none. */
  readonly prefer?: StoreKind;
}

/** What each way of starting is given. */
export interface StartRequest extends StoreOptions {
  readonly credentials: Credentials;
}

/** This kind of store cannot be had here; the next one may be. */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';
  readonly kind: StoreKind;
  constructor(kind: StoreKind, why: string, options?: ErrorOptions) {
    super(`the object store (${kind}) cannot be started: ${why}`, options);
    this.kind = kind;
  }
}

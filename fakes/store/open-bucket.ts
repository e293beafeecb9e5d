import { setTimeout as delay } from 'node:timers/promises';
import { S3Client, type StoreFailure } from './s3/client.ts';
import type { BucketAddress, Credentials } from './s3/request.ts';
import { type StoreKind, StoreUnavailable } from './store.ts';

export interface OpenBucketOptions {
  readonly address: BucketAddress;
  readonly credentials: Credentials;
  readonly kind: StoreKind;
  readonly signal: AbortSignal;
}

export interface OpenedBucket extends Disposable {
  readonly putObject: (key: string, body: Uint8Array) => Promise<void>;
}

const requestMs = 10_000;
const startMs = 30_000;
const intervalMs = 10;

/**
 * Makes the bucket in a store that is starting: that it could be made is the proof that the store is up and takes the
 * credentials. (MinIO's health endpoint answers before its users are loaded.)
 */
export async function openBucket({ address, credentials, kind, signal }: OpenBucketOptions): Promise<OpenedBucket> {
  const client = new S3Client({ address, credentials, timeoutMs: requestMs });
  try {
    const end = performance.now() + startMs;
    let made = await client.createBucket();
    while (!made.ok && isStarting(made.failure) && performance.now() < end) {
      await delay(intervalMs, undefined, { signal });
      made = await client.createBucket();
    }
    if (!made.ok) throw refused(kind, made.failure, `the bucket ${address.bucket} was made`);
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
  return {
    putObject: async (key, body) => {
      const put = await client.put(key, body);
      if (!put.ok) throw refused(kind, put.failure, `${key} was put`);
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

function isStarting({ code, status }: StoreFailure): boolean {
  return status === 503 || code === 'ECONNREFUSED' || code === 'ECONNRESET';
}

function refused(kind: StoreKind, { code }: StoreFailure, when: string): StoreUnavailable {
  return new StoreUnavailable(kind, `it answered ${code} when ${when}`);
}

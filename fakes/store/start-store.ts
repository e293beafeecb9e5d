import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { bundleScript } from '../bundle-script.ts';
import { onJsonLine } from '../lines.ts';
import { streamed } from '../program.ts';
import { type Credentials, createCredentials } from './credentials.ts';
import { S3Client } from './s3-client.ts';

/** A running object store with one bucket. Disposing of it ends its process, and with it its data. */
export interface Store extends AsyncDisposable, Credentials {
  /** `http://127.0.0.1:port`, path-style. */
  readonly endpoint: string;
  readonly bucket: string;
  putObject(key: string, body: Uint8Array): Promise<void>;
}

export interface StoreOptions {
  readonly runId: string;
  readonly bucket: string;
  readonly signal: AbortSignal;
  /** The environment of the store's process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const requestTimeoutMs = 10_000;
const here = dirname(fileURLToPath(import.meta.url));

/** The store's program: one file, `dist/store/<hash of its sources>/embedded-main.cjs`, or its sources if it cannot be bundled. */
export function embeddedProgram(): Promise<string> {
  return bundleScript({
    entryPoints: [join(here, 'embedded-main.ts')],
    sources: [here],
    output: join(here, '../../dist/store'),
  });
}

/** Starts the embedded store in a process of its own, with an empty bucket and credentials for this run. */
export async function startStore({ runId, bucket, signal, environment }: StoreOptions): Promise<Store> {
  signal.throwIfAborted();
  const credentials = createCredentials();
  await using scope = new AsyncDisposableStack();
  const program = await embeddedProgram();
  signal.throwIfAborted();
  const store = scope.use(startStoreProcess({ runId, command: [process.execPath, program], environment }));
  const endpoint = await new Promise<string>((resolve, reject) => {
    onJsonLine(store.child.stdout, ({ event, endpoint }) => {
      if (event === 'ready') resolve(String(endpoint));
    });
    store.child.stdin.write(`${JSON.stringify({ credentials })}\n`);
    void store.ended.then((reason) => reject(new Error(`the object store cannot be started: ${reason}`)));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const client = scope.use(new S3Client({ address: { endpoint, bucket }, credentials, timeoutMs: requestTimeoutMs }));
  const created = await client.createBucket();
  if (!created.ok) throw new Error(`the object store answered ${created.failure.code} when the bucket was created`);
  const owned = scope.move();
  return {
    endpoint,
    bucket,
    ...credentials,
    async putObject(key, body) {
      const put = await client.put(key, body);
      if (!put.ok) throw new Error(`the object store answered ${put.failure.code} when ${key} was put`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A process that ends when its standard input is closed, so also when its parent is killed. */
export interface StoreProcess extends AsyncDisposable {
  readonly child: { readonly pid?: number | undefined; readonly stdin: Writable; readonly stdout: Readable };
  /** Resolves with the reason once the process and its children are gone. */
  readonly ended: Promise<string>;
}

const defaultGraceMs = 3_000;

/**
 * Starts a process with the run's id in its environment, by which `rekindle clean` finds it. Disposing of it closes its standard
 * input, and kills it and its children after `graceMs`.
 */
export function startStoreProcess({
  runId,
  command: [program, ...args],
  environment,
  graceMs = defaultGraceMs,
}: {
  readonly runId: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: StoreOptions['environment'];
  readonly graceMs?: number;
}): StoreProcess {
  const child = execa(program, args, {
    ...streamed,
    env: { ...environment, REKINDLE_RUN_ID: runId },
    stdin: 'pipe',
    // The leader of a process group, so that its children can be killed with it.
    detached: true,
  });
  let errorOutput = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errorOutput = (errorOutput + chunk).slice(-500);
  });
  child.stdin.on('error', () => undefined);
  let hasEnded = false;
  // Resolves once its children have closed its output, too.
  const ended = child.then(({ exitCode, signal, shortMessage }) => {
    hasEnded = true;
    if (exitCode === undefined && signal === undefined) return shortMessage ?? '';
    return `it ended with ${signal ?? exitCode}: ${errorOutput.trim()}`;
  });
  return {
    child,
    ended,
    [Symbol.asyncDispose]: async () => {
      const { pid } = child;
      if (pid === undefined || hasEnded) return;
      child.stdin.end();
      const timer = setTimeout(() => killGroup(pid), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All processes of the group have ended.
  }
}

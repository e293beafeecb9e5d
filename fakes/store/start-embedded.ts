import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleScript } from './bundle-script.ts';
import { startChild } from './child.ts';
import { onJsonLine } from './json-lines.ts';
import { openBucket } from './open-bucket.ts';
import { type StartRequest, type Store, type StoreFault, StoreUnavailable } from './store.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** The store as one file, `dist/store/<hash of its sources>/embedded-main.cjs`, or where it cannot be made, its sources. */
export function embeddedProgram(): Promise<string> {
  return bundleScript({
    entryPoints: [join(here, 'embedded-main.ts')],
    sources: [here, join(here, 's3')],
    output: join(here, '../../dist/store'),
  });
}

/** Starts the embedded store in a process of its own; it is always to be had. */
export async function startEmbedded(request: StartRequest): Promise<Store> {
  const { runId, bucket, credentials, environment, signal } = request;
  signal.throwIfAborted();
  await using scope = new AsyncDisposableStack();
  const main = await embeddedProgram();
  signal.throwIfAborted();
  const process_ = scope.use(startChild({ runId, command: [process.execPath, main], environment }));
  const { stdin, stdout } = process_.child;
  const told: ((kind: unknown) => void)[] = [];
  const endpoint = await new Promise<string>((resolve, reject) => {
    onJsonLine(stdout, (line) => {
      if (line.event === 'ready') resolve(String(line.endpoint));
      if (line.event === 'fault') told.shift()?.(line.kind);
    });
    stdin.write(`${JSON.stringify({ credentials })}\n`);
    void process_.ended.then((why) => reject(new StoreUnavailable('embedded', why)));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const opened = scope.use(await openBucket({ address: { endpoint, bucket }, credentials, kind: 'embedded', signal }));

  const tell = async (fault: StoreFault): Promise<void> => {
    const inForce = new Promise<unknown>((resolve) => told.push(resolve));
    stdin.write(`${JSON.stringify({ fault })}\n`);
    await Promise.race([inForce, process_.ended]);
  };
  const owned = scope.move();
  return {
    kind: 'embedded',
    description: 'embedded S3 store',
    endpoint,
    bucket,
    ...credentials,
    putObject: opened.putObject,
    injectFault: async (fault) => {
      await tell(fault);
      return { [Symbol.asyncDispose]: () => tell({ kind: 'none' }) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * The fake control plane as one process: API server, scheduler, volume binder and Fluid's controllers. Prints
 * `{"event":"ready","url":...}` as soon as the API server answers and the administrator's kubeconfig is written, and `{"event":"controllers"}` once the controllers watch.
 * Ends on SIGTERM, on SIGINT, when its standard input closes and when its parent exits.
 */
import { fstatSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { startApiServer } from '../apiserver/api-server.ts';
import { parseFlags } from './flags.ts';

const parentPollMs = 1000;
const emit = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const flags = parseFlags(process.argv.slice(2));
  if (typeof flags === 'string') {
    log(flags);
    return 2;
  }
  const ended = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    onParentExit(resolve);
  });
  // Keep serving if standard output is closed.
  process.stdout.on('error', () => {});
  const server = await startApiServer(flags);
  writeFileSync(flags.kubeconfig, server.kubeConfig, { mode: 0o600 });
  emit({ event: 'ready', url: server.url });
  // Loading the client takes a few hundred milliseconds, during which requests are already served.
  Promise.all([import('./controllers.ts'), import('../apiserver/client-config.ts')])
    .then(([{ startControllers }, { clientConfig }]) =>
      startControllers({
        kubeConfig: clientConfig(server.kubeConfig),
        log,
        mountRoot: flags.mountRoot,
        driver: flags.driver,
      }),
    )
    .then(
      () => {
        emit({ event: 'controllers' });
        // Node writes its compile cache on a normal exit, but a sandbox's processes are killed.
        flushCompileCache();
      },
      (error: unknown) => log(`controllers: ${String(error)}`),
    );
  await ended;
  return 0;
}

/** Calls back when standard input, if it is a pipe from the parent, closes, or when the parent is another process. */
function onParentExit(callback: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) callback();
  }, parentPollMs).unref();
  const input = fstatSync(0, { throwIfNoEntry: false });
  if (!input?.isFIFO() && !input?.isSocket()) return;
  process.stdin.once('close', callback);
  process.stdin.once('end', callback);
  process.stdin.resume();
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    log(error instanceof Error ? error.message : String(error));
    process.exit(3);
  },
);

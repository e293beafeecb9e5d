/**
 * The fake control plane as one process: API server, scheduler, volume binder and Fluid's controllers. Prints
 * `{"event":"ready","url":...}` as soon as the API server answers, `{"event":"controllers"}` once the controllers watch.
 * Ends on SIGTERM, SIGINT, or when its standard input closes.
 */
import { flushCompileCache } from 'node:module';
import { startApiServer } from '../apiserver/api-server.ts';
import { parseFlags } from './flags.ts';
import { onParentGone } from './parent-gone.ts';

const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
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
    onParentGone(resolve);
  });
  // A closed standard output is no reason to stop serving.
  process.stdout.on('error', () => {});
  const server = await startApiServer(flags);
  say({ event: 'ready', url: server.url });
  // The client takes a few hundred milliseconds to load: clients are served meanwhile.
  Promise.all([import('./start-controllers.ts'), import('../apiserver/client-config.ts')])
    .then(([{ startControllers }, { clientConfig }]) =>
      startControllers({ kubeConfig: clientConfig({ url: server.url, token: flags.token }), log }),
    )
    .then(
      () => {
        say({ event: 'controllers' });
        // Written at the end of a process that ends by itself; a sandbox's ends with all that is in it.
        flushCompileCache();
      },
      (error: unknown) => log(`controllers: ${String(error)}`),
    );
  // Nothing of this process is left outside it, so it need not be taken apart.
  await ended;
  return 0;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    log(error instanceof Error ? error.message : String(error));
    process.exit(3);
  },
);

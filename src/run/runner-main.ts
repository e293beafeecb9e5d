/** A process that runs scenarios one after the other on its own cluster; `conform` starts several in parallel. */

import { CannotRun } from '../../clusters/cluster.ts';
import { cannotRunFrom } from './cannot-run-from.ts';
import { openRunner, type Runner } from './runner.ts';
import type { Order, Report } from './runner-protocol.ts';

const stop = new AbortController();
const send = (report: Report): void => {
  if (process.connected) process.send?.(report);
};
// Ctrl-C reaches the whole process group; the parent sends the order to end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => stop.abort());

let runner: Runner | undefined;
let work: Promise<void> = Promise.resolve();
const then = (next: () => Promise<void>): void => {
  work = work.then(next).catch(fail);
};

process.on('message', (message: Order) => {
  switch (message.order) {
    case 'start':
      return then(async () => {
        const onProgress = (line: string) => send({ report: 'progress', line });
        const onWait = (waits: boolean) => send({ report: 'waits', waits });
        runner = await openRunner(message.options, { onProgress, onWait, signal: stop.signal });
        send({ report: 'ready', cluster: runner.cluster });
      });
    case 'run':
      return then(async () => {
        if (runner) send({ report: 'finished', ...(await runner.run(message.scenario)) });
      });
    case 'end':
      stop.abort();
      return then(end);
  }
});
process.on('disconnect', () => {
  stop.abort();
  then(end);
});

async function end(): Promise<void> {
  await runner?.[Symbol.asyncDispose]();
  send({ report: 'ended', leftovers: runner?.leftovers ?? [] });
  process.exit(0);
}

function fail(error: unknown): void {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const cannotRun = error instanceof CannotRun ? error : cannotRunFrom(error);
  send({ report: 'failed', message, ...(cannotRun && { missing: cannotRun.missing }) });
  process.exit(1);
}

/** The first child of process 1 of the sandbox's PID namespace, which runs the node program there. Everything in the sandbox ends with it. */

import { flushCompileCache } from 'node:module';
import { type Request, serve } from '../rpc.ts';
import type { Message } from './protocol.ts';
import { SandboxNode } from './sandbox-node.ts';

/** News is batched for this long, because each message interrupts the processes that are observed. */
const batchMs = 5;
let batch: Message[] = [];
let timer: NodeJS.Timeout | undefined;

const flush = (): void => {
  clearTimeout(timer);
  timer = undefined;
  const messages = batch;
  batch = [];
  if (process.connected) process.send?.(messages);
};
const send = (message: Message): void => {
  batch.push(message);
  timer ??= setTimeout(flush, batchMs);
};
const node = new SandboxNode({
  onEvent: (event) => send({ event }),
  onSerialisedEvents: (lines) => send({ lines }),
  onProgress: (progress) => send({ progress }),
});
const server = serve(node, (reply) => {
  batch.push(reply);
  flush();
});

process.on('message', (request: Request) => void server.handle(request));
// Usually written when a process ends by itself, which this one does not.
flushCompileCache();
// The harness has ended, in whatever way: nothing of the run may stay.
process.on('disconnect', () => process.exit(0));

/**
 * Process 1 of the sandbox's PID namespace: builds the node's root, starts the parts, plays the kubelet, and does what the
 * harness asks for. Everything in the sandbox ends with it.
 */

import { flushCompileCache } from 'node:module';
import { type Request, reply } from '../rpc.ts';
import { Node } from './node.ts';
import type { Message } from './protocol.ts';

const send = (message: Message): void => {
  if (process.connected) process.send?.(message);
};
const node = new Node({
  onEvent: (event) => send({ event }),
  onProgress: (progress) => send({ progress }),
  onProbe: (probe, chunk) => send({ probe, chunk }),
});

process.on('message', (request: Request) => void reply(request, node).then(send));
// Written at the end of a process that ends by itself, which this one does not.
flushCompileCache();
// The harness is gone, by whatever means: nothing of the run may stay.
process.on('disconnect', () => process.exit(0));

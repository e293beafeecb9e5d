/**
 * Process 1 of the sandbox's PID namespace: builds the node's root, starts the parts, plays the kubelet, and does what the
 * harness asks for. Everything in the sandbox ends with it.
 */

import { flushCompileCache } from 'node:module';
import { type Request, reply } from '../rpc.ts';
import { Node } from './node.ts';
import type { Message, News } from './protocol.ts';

/** Milliseconds for which news are gathered: each message takes both processes from what is being watched. */
const gatherMs = 5;
let gathered: Message[] = [];
let timer: NodeJS.Timeout | undefined;

const sendAll = (): void => {
  clearTimeout(timer);
  timer = undefined;
  const messages = gathered;
  gathered = [];
  if (process.connected) process.send?.(messages);
};
const tell = (news: News): void => {
  gathered.push(news);
  timer ??= setTimeout(sendAll, gatherMs);
};
const node = new Node({
  onEvent: (event) => tell({ event }),
  onProgress: (progress) => tell({ progress }),
  onProbe: (probe, chunk) => tell({ probe, chunk }),
});

process.on('message', async (request: Request) => {
  const answer = await reply(request, node);
  gathered.push(answer);
  sendAll();
});
// Written at the end of a process that ends by itself, which this one does not.
flushCompileCache();
// The harness is gone, by whatever means: nothing of the run may stay.
process.on('disconnect', () => process.exit(0));

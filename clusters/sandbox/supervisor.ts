/**
 * Process 1 of the sandbox's PID namespace: builds the node's root, starts the parts, plays the kubelet, and does what the
 * harness asks for. Everything in the sandbox ends with it.
 */

import { Node } from './node.ts';
import type { Message, Procedures, Reply, Request } from './protocol.ts';

const send = (message: Message): void => {
  if (process.connected) process.send?.(message);
};
const node = new Node({
  onEvent: (event) => send({ event }),
  onProgress: (progress) => send({ progress }),
  onProbe: (probe, chunk) => send({ probe, chunk }),
});

process.on('message', ({ id, procedure, argument }: Request) => {
  void reply(id, () =>
    (node[procedure] as (argument: unknown) => ReturnType<Procedures[typeof procedure]>)(argument),
  ).then(send);
});
// The harness is gone, by whatever means: nothing of the run may stay.
process.on('disconnect', () => process.exit(0));

async function reply(id: number, work: () => Promise<unknown>): Promise<Reply> {
  try {
    return { id, value: await work() };
  } catch (error) {
    const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
    return { id, error: { message, ...(typeof code === 'string' && { code }) } };
  }
}

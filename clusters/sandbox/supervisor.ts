/** The first child of process 1 of the sandbox's PID namespace, which runs the node program there. Everything in the sandbox ends with it. */

import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { onLines } from '../../fakes/lines.ts';
import { serve } from '../rpc.ts';
import { type Message, reportsDescriptor } from './protocol.ts';
import { SandboxNode } from './sandbox-node.ts';

/** Standard output of this process would block if the harness is busy. */
const reports = new Socket({ fd: reportsDescriptor, readable: false, writable: true });
/** Lines are batched for this long, because each write interrupts the processes that are observed. */
const batchMs = 5;
let batch: string[] = [];
let timer: NodeJS.Timeout | undefined;

const flush = (): void => {
  clearTimeout(timer);
  timer = undefined;
  reports.write(batch.map((line) => `${line}\n`).join(''));
  batch = [];
};
const write = (lines: readonly string[]): void => {
  batch.push(...lines);
  timer ??= setTimeout(flush, batchMs);
};
const send = (message: Message): void => write([JSON.stringify(message)]);
const node = new SandboxNode({
  onEvent: send,
  onSerialisedEvents: write,
  onProgress: (progress) => send({ progress }),
});
const server = serve(node, (reply) => {
  send(reply);
  flush();
});

onLines(process.stdin, (line) => void server.handle(JSON.parse(line)));
// Usually written when a process ends by itself, which this one does not.
flushCompileCache();
// The harness has ended, in whatever way: nothing of the run may stay.
process.stdin.on('close', () => process.exit(0));
reports.on('error', () => process.exit(0));

/**
 * One session of the harness with a node: `node main.cjs`, as an exec in the node program's pod. Standard input brings
 * requests, a JSON object a line; standard output has replies and what happens. Ends with its standard input.
 */
import { createInterface } from 'node:readline';
import { type Request, reply } from '../../rpc.ts';
import { NodeSession } from './node-session.ts';
import type { NodeMessage } from './protocol.ts';

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const send = (message: NodeMessage): void => write(JSON.stringify(message));
const rests = new Map<number, string>();

const session = new NodeSession({
  onEvent: send,
  // A probe's lines are events already; they come in chunks that end anywhere.
  onProbe(probe, chunk) {
    const lines = ((rests.get(probe) ?? '') + chunk).split('\n');
    rests.set(probe, lines.pop() ?? '');
    const events = lines.filter((line) => line.includes('"kind"'));
    if (events.length > 0) write(events.join('\n'));
  },
  onLog: (log, text) => send({ log, text }),
});

// The harness is gone, by whatever means: nothing that it started may stay.
const end = () => process.exit(0);
process.stdout.on('error', end);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const request: Request = JSON.parse(line);
    void reply(request, session).then(send);
  })
  .on('close', end);

/**
 * One session of the harness with a node: `node main.cjs SESSION`, started in the node program's pod by a relay. Requests come and
 * replies and what happens go as JSON objects, a line each, over whichever relay has come last. Ends when it is told to, or when no
 * relay has come for long.
 */
import { type Request, reply } from '../../rpc.ts';
import { serveConversation } from '../conversation/serve.ts';
import { socketOf } from '../conversation/socket.ts';
import { graceMs } from '../conversation/timing.ts';
import { NodeSession } from './node-session.ts';
import type { NodeMessage } from './protocol.ts';

const [id = ''] = process.argv.slice(2);
const rests = new Map<number, string>();

const conversation = serveConversation({
  path: socketOf(id),
  graceMs,
  onLine(line) {
    const request: Request = JSON.parse(line);
    void reply(request, session).then(send);
  },
  // The harness is gone, by whatever means: nothing that it started may stay.
  onEnd: () => void session.endAll().finally(() => process.exit(0)),
});
const send = (message: NodeMessage): void => conversation.send([JSON.stringify(message)]);

const session = new NodeSession({
  onEvent: send,
  // A probe's lines are events already; they come in chunks that end anywhere.
  onProbe(probe, chunk) {
    const lines = ((rests.get(probe) ?? '') + chunk).split('\n');
    rests.set(probe, lines.pop() ?? '');
    const events = lines.filter((line) => line.includes('"kind"'));
    if (events.length > 0) conversation.send(events);
  },
  onLog: (log, text) => send({ log, text }),
});

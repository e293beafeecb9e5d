/**
 * A session of the harness with a node: `node main.cjs SESSION`, started in the node program's pod by a relay. Requests arrive, and
 * replies and news leave, as JSON lines over the most recent relay. Ends on request, or when no relay has come for a long time.
 */
import { type Request, serve } from '../../rpc.ts';
import { serveConversation } from '../conversation/serve.ts';
import { graceMs, sessionSocket } from '../conversation/session.ts';
import { PodNode } from './pod-node.ts';
import type { NodeMessage } from './protocol.ts';

const [id = ''] = process.argv.slice(2);

const conversation = serveConversation({
  path: sessionSocket(id),
  graceMs,
  onLine(line) {
    const request: Request = JSON.parse(line);
    void server.handle(request);
  },
  // The harness has ended, in whatever way: nothing that it started may stay.
  onEnd: () =>
    void server[Symbol.asyncDispose]().then(
      () => process.exit(0),
      () => process.exit(1),
    ),
});
const send = (message: NodeMessage): void => conversation.send([JSON.stringify(message)]);

const node = new PodNode({
  onEvent: send,
  onSerialisedEvents: (lines) => conversation.send(lines),
  onLog: (log, text) => send({ log, text }),
});
const server = serve(node, send);

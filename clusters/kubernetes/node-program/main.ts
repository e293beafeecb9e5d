/**
 * The node program on a cluster, `node main.cjs RUN-ID`: the command of its DaemonSet. It serves the harness of that run. If the
 * harness is gone, it undoes what the harness asked for, and ends.
 */
import { serve } from '../../rpc.ts';
import { PodNode } from './pod-node.ts';
import type { NodeMessage } from './protocol.ts';
import { openSession, sessionFolder } from './session.ts';

/** Longer than the harness tries to reconnect. */
const graceMs = 150_000;

const [runId = ''] = process.argv.slice(2);
const session = openSession({
  folder: sessionFolder(runId),
  graceMs,
  onRequest: (request) => void server.handle(request),
  // After a farewell the pod is removed soon, or the harness cleans up through it.
  onEnd: (reason) => (reason === 'silence' ? end() : void server[Symbol.asyncDispose]()),
});
const send = (message: NodeMessage): void => session.write([JSON.stringify(message)]);
const node = new PodNode({
  onEvent: send,
  onSerialisedEvents: (lines) => session.write(lines),
  onLog: (log, text) => send({ log, text }),
});
const server = serve(node, send);
process.on('SIGTERM', end);

function end(): void {
  void server[Symbol.asyncDispose]().then(
    () => process.exit(0),
    () => process.exit(1),
  );
}

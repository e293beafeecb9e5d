import { createServer, type Socket } from 'node:net';
import { Conversation } from './conversation.ts';
import { acknowledgeEveryMs, farewell } from './timing.ts';

export interface ServeOptions {
  /** Of the socket, as `socketOf` gives it. */
  readonly path: string;
  readonly onLine: (line: string) => void;
  /** How long it waits for a connection, the first one and each next one. */
  readonly graceMs: number;
  /** Once: the other end has said farewell, or none has come in time. */
  readonly onEnd: () => void;
}

/** A conversation that goes on over whichever connection came last. */
export function serveConversation({ path, onLine, graceMs, onEnd }: ServeOptions): Conversation {
  const conversation = new Conversation((line) => (line === farewell ? end() : onLine(line)));
  let current: Socket | undefined;
  let waiting = setTimeout(() => end(), graceMs);
  const server = createServer((socket) => {
    clearTimeout(waiting);
    current?.destroy();
    current = socket;
    const wire = conversation.attach((text) => void socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => wire.take(chunk));
    socket.on('error', () => {}); // Told by `close`.
    socket.on('close', () => {
      if (current !== socket) return;
      current = undefined;
      waiting = setTimeout(() => end(), graceMs);
    });
  });
  const beat = setInterval(() => conversation.acknowledge(), acknowledgeEveryMs);
  server.listen(path);
  return conversation;

  function end(): void {
    clearInterval(beat);
    clearTimeout(waiting);
    current?.destroy();
    server.close();
    onEnd();
  }
}

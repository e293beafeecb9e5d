import { createServer, type Socket } from 'node:net';
import { Conversation } from './conversation.ts';
import { acknowledgeEveryMs, farewell } from './session.ts';

export interface ServeOptions {
  /** A unix socket. */
  readonly path: string;
  readonly onLine: (line: string) => void;
  /** How long to wait for the first connection, and for each following one. */
  readonly graceMs: number;
  /** Called once, when the other end has said farewell or has not connected in time. */
  readonly onEnd: () => void;
}

/** Serves a conversation over whichever connection is the newest. */
export function serveConversation({ path, onLine, graceMs, onEnd }: ServeOptions): Conversation {
  const conversation = new Conversation((line) => (line === farewell ? end() : onLine(line)));
  let current: Socket | undefined;
  let waiting = setTimeout(() => end(), graceMs);
  const server = createServer((socket) => {
    clearTimeout(waiting);
    current?.destroy();
    current = socket;
    const connection = conversation.attach((text) => void socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => connection.receive(chunk));
    socket.on('error', () => {}); // `close` follows.
    socket.on('close', () => {
      if (current !== socket) return;
      current = undefined;
      waiting = setTimeout(() => end(), graceMs);
    });
  });
  const heartbeat = setInterval(() => conversation.acknowledge(), acknowledgeEveryMs);
  server.listen(path);
  return conversation;

  function end(): void {
    clearInterval(heartbeat);
    clearTimeout(waiting);
    current?.destroy();
    server.close();
    onEnd();
  }
}

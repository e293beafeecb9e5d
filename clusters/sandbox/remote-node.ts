import type { ChildProcess } from 'node:child_process';
import { connect, type Remote } from '../rpc.ts';
import type { Message, News, Procedures } from './protocol.ts';

export type RemoteNode = Remote<Procedures>;

/** The supervisor's procedures, called over the channel to its process; all fail once that process has ended. */
export function connectTo(child: ChildProcess, onNews: (news: News) => void): RemoteNode {
  return connect<Procedures, News>(
    {
      send: (request) => void child.send(request),
      onMessage: (take) => child.on('message', (messages: readonly Message[]) => messages.forEach(take)),
      onEnd(take) {
        child.on('error', ({ message }) => take(message));
        child.on('exit', (status, signal) => take(signal ?? `exit status ${status}`));
      },
    },
    { name: 'the sandbox', onNews },
  );
}

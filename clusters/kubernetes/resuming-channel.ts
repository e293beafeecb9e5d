import { setTimeout as delay } from 'node:timers/promises';
import { lineSplitter, onLines } from '../../fakes/lines.ts';
import type { Channel, Reply } from '../rpc.ts';
import type { RunningExec } from './exec.ts';
import { farewell, heartbeatMs, historyLost } from './node-program/session.ts';

export interface ResumingOptions {
  /** Connects to a session. What it prints begins at this byte of the history. */
  readonly connect: (offset: number) => Promise<RunningExec>;
  /** A connection broke, and another one is being made. */
  readonly onReconnect: (reason: string) => void;
}

interface BrokenConnection {
  readonly reason: string;
  /** The session no longer exists. */
  readonly isFinal: boolean;
}

/** A connection without a line from the node for this long is replaced. */
const silenceMs = 20_000;
/** How long to try to reconnect. A kubelet or an API server has restarted by then. */
const reconnectMs = 120_000;
const retryEveryMs = 300;

/**
 * The harness's end of a session. If a connection breaks, as when the kubelet restarts, the next one reads the history from the
 * byte where that one ended, and resends the requests that have no reply. The node ignores those that it has.
 */
export function resumingChannel<News extends object>({ connect, onReconnect }: ResumingOptions) {
  const unanswered = new Map<number, string>();
  const closing = new AbortController();
  let offset = 0;
  let receive = (_message: Reply | News): void => {};
  let end = (_reason: string): void => {};
  let write = (_text: string): void => {};
  const heartbeat = setInterval(() => write('\n'), heartbeatMs).unref();
  void run();
  return {
    send(request) {
      const line = `${JSON.stringify(request)}\n`;
      unanswered.set(request.id, line);
      write(line);
    },
    onMessage: (listener) => (receive = listener),
    onEnd: (listener) => (end = listener),
    [Symbol.dispose]() {
      write(`${farewell}\n`);
      closing.abort();
      end('it was closed');
    },
  } satisfies Channel<News> & Disposable;

  async function run(): Promise<void> {
    let broken: BrokenConnection = { reason: '', isFinal: false };
    let deadline = performance.now() + reconnectMs;
    while (!broken.isFinal && performance.now() < deadline) {
      const before = offset;
      broken = await connectOnce().catch(({ message: reason }: Error) => ({ reason, isFinal: false }));
      if (closing.signal.aborted) break;
      if (offset === before) {
        await delay(retryEveryMs);
        continue;
      }
      deadline = performance.now() + reconnectMs;
      onReconnect(broken.reason);
    }
    clearInterval(heartbeat);
    end(broken.reason);
  }

  /** Resolves when the connection ends. Rejects if none can be made. */
  async function connectOnce(): Promise<BrokenConnection> {
    const connection = await connect(offset);
    const silence = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => silence.resolve(undefined), silenceMs);
    // Deferred, so that the farewell is sent first.
    const close = () => void setImmediate(() => connection.close());
    closing.signal.addEventListener('abort', close);
    if (closing.signal.aborted) close();
    let isCurrent = true;
    let lastError = '';
    onLines(connection.stderr, (line) => (lastError = line));
    const split = lineSplitter();
    connection.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (!isCurrent) return;
      timer.refresh();
      // The next connection reads a partial line again, whole.
      for (const line of split(chunk)) {
        offset += Buffer.byteLength(line) + 1;
        if (line !== '') take(JSON.parse(line));
      }
    });
    write = (text) => void connection.stdin.write(text);
    write(`\n${[...unanswered.values()].join('')}`);
    try {
      const exit = await Promise.race([connection.exited, silence.promise]);
      if (!exit) return { reason: `it was silent for ${silenceMs / 1000} s`, isFinal: false };
      const isFinal = exit.exitCode === historyLost;
      return {
        reason: lastError || (isFinal ? 'the node program has restarted' : 'the connection was closed'),
        isFinal,
      };
    } finally {
      isCurrent = false;
      write = () => {};
      clearTimeout(timer);
      closing.signal.removeEventListener('abort', close);
      close();
    }
  }

  function take(message: Reply | News): void {
    if ('reply' in message) unanswered.delete(message.reply);
    receive(message);
  }
}

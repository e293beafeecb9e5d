import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ContainerRef } from '../../cluster.ts';
import { onLines } from '../../node/lines.ts';
import { startExec } from '../exec.ts';
import { bundleFiles, bundleInImage } from '../node-program/in-image.ts';
import { Conversation } from './conversation.ts';
import { acknowledgeEveryMs, farewell, noSession, reconnectMs, silenceMs } from './session.ts';

export interface ExecConversationOptions {
  readonly kubeConfig: KubeConfig;
  /** The node program's pod. */
  readonly pod: ContainerRef;
  readonly onLine: (line: string) => void;
  /** A connection broke, and another one is being made. */
  readonly onReconnect: (reason: string) => void;
  /** Called once, when no more lines will arrive. */
  readonly onEnd: (reason: string) => void;
}

export interface ExecConversation {
  send(line: string): void;
  /** Ends the session with everything that it has started. */
  close(): void;
}

interface ConnectionEnd {
  readonly reason: string;
  /** Something was received. */
  readonly connected: boolean;
  /** The session no longer exists. */
  readonly sessionGone: boolean;
}

const retryEveryMs = 300;

/** A session with a node over successive execs: if one breaks, as when the kubelet restarts, the next one continues. */
export function execConversation(options: ExecConversationOptions): ExecConversation {
  const { kubeConfig, pod, onLine, onReconnect, onEnd } = options;
  const session = randomUUID();
  const conversation = new Conversation(onLine);
  const heartbeat = setInterval(() => conversation.acknowledge(), acknowledgeEveryMs).unref();
  let closed = false;
  let closeConnection = () => {};
  void run();
  return {
    send: (line) => conversation.send([line]),
    close() {
      if (closed) return;
      conversation.send([farewell]);
      closed = true;
      clearInterval(heartbeat);
      closeConnection();
      onEnd('it was closed');
    },
  };

  async function run(): Promise<void> {
    let reason = '';
    let mode: 'open' | 'resume' = 'open';
    for (let deadline = performance.now() + reconnectMs; performance.now() < deadline; await delay(retryEveryMs)) {
      const end = await connectOnce(mode).catch(
        (error: Error): ConnectionEnd => ({ reason: error.message, connected: false, sessionGone: false }),
      );
      if (closed) return;
      reason = end.reason;
      if (end.connected) {
        mode = 'resume';
        deadline = performance.now() + reconnectMs;
        onReconnect(reason);
      } else if (end.sessionGone || mode === 'open') break;
    }
    clearInterval(heartbeat);
    onEnd(reason);
  }

  /** Resolves when the connection ends. Rejects if none can be made. */
  async function connectOnce(mode: 'open' | 'resume'): Promise<ConnectionEnd> {
    const command = ['node', `${bundleInImage}/${bundleFiles.relay}`, mode, session];
    const running = await startExec({ kubeConfig, target: pod, command });
    // Deferred, so that what was written is sent first.
    closeConnection = () => void setImmediate(() => running.close());
    if (closed) closeConnection();
    let lastReceivedAt = performance.now();
    let connected = false;
    let errors = '';
    onLines(running.stderr, (text) => (errors = `${errors}${text}\n`.slice(-600)));
    const connection = conversation.attach((text) => void running.stdin.write(text));
    running.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      lastReceivedAt = performance.now();
      connected = true;
      connection.receive(chunk);
    });
    const silenceTimer = setInterval(() => {
      if (performance.now() - lastReceivedAt > silenceMs) running.close();
    }, acknowledgeEveryMs);
    try {
      const { exitCode } = await running.exited;
      const reason = errors.trim() || 'the connection to its pod was closed';
      return { reason, connected, sessionGone: exitCode === noSession };
    } finally {
      clearInterval(silenceTimer);
    }
  }
}

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ContainerRef } from '../../cluster.ts';
import { onLines } from '../../node/lines.ts';
import { startExec } from '../exec.ts';
import { bundleFiles, bundleInImage } from '../node-program/in-image.ts';
import { Conversation } from './conversation.ts';
import { noSession } from './socket.ts';
import { acknowledgeEveryMs, farewell, reconnectMs, silenceMs } from './timing.ts';

export interface ExecConversationOptions {
  readonly kubeConfig: KubeConfig;
  /** The node program's pod. */
  readonly pod: ContainerRef;
  readonly onLine: (line: string) => void;
  /** A connection was cut, and another one is being made. */
  readonly onCut: (why: string) => void;
  /** Once: nothing comes any more. */
  readonly onEnd: (why: string) => void;
}

export interface ExecConversation {
  send(line: string): void;
  /** In good order: the session and what it has started end too. */
  close(): void;
}

/** How a connection ended. `over`: there is no session to go on with. */
interface Ended {
  readonly why: string;
  readonly heard: boolean;
  readonly over: boolean;
}

const againEveryMs = 300;

/** A session with a node, over one exec after the other: where one is cut, as by a restart of the kubelet, the next goes on. */
export function execConversation(options: ExecConversationOptions): ExecConversation {
  const { kubeConfig, pod, onLine, onCut, onEnd } = options;
  const session = randomUUID();
  const conversation = new Conversation(onLine);
  const beat = setInterval(() => conversation.acknowledge(), acknowledgeEveryMs).unref();
  let closed = false;
  let cut = () => {};
  void run();
  return {
    send: (line) => conversation.send([line]),
    close() {
      if (closed) return;
      conversation.send([farewell]);
      closed = true;
      clearInterval(beat);
      cut();
      onEnd('it was closed');
    },
  };

  async function run(): Promise<void> {
    let why = '';
    let how = 'open';
    for (let deadline = performance.now() + reconnectMs; performance.now() < deadline; await delay(againEveryMs)) {
      const ended = await goOver(how).catch(
        (error: Error): Ended => ({ why: error.message, heard: false, over: false }),
      );
      if (closed) return;
      why = ended.why;
      if (ended.heard) {
        how = 'resume';
        deadline = performance.now() + reconnectMs;
        onCut(why);
      } else if (ended.over || how === 'open') break;
    }
    clearInterval(beat);
    onEnd(why);
  }

  /** Until the connection ends. Rejects where none can be made. */
  async function goOver(how: string): Promise<Ended> {
    const command = ['node', `${bundleInImage}/${bundleFiles.relay}`, how, session];
    const running = await startExec({ kubeConfig, target: pod, command });
    // What was written is on its way by then.
    cut = () => void setImmediate(() => running.close());
    if (closed) cut();
    let heardAt = performance.now();
    let heard = false;
    let said = '';
    onLines(running.stderr, (text) => (said = `${said}${text}\n`.slice(-600)));
    const wire = conversation.attach((text) => void running.stdin.write(text));
    running.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      heardAt = performance.now();
      heard = true;
      wire.take(chunk);
    });
    const watch = setInterval(() => {
      if (performance.now() - heardAt > silenceMs) running.close();
    }, acknowledgeEveryMs);
    try {
      const { exitCode } = await running.exited;
      return { why: said.trim() || 'the connection to its pod was closed', heard, over: exitCode === noSession };
    } finally {
      clearInterval(watch);
    }
  }
}

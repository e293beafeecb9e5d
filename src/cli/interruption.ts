import type { EventEmitter } from 'node:events';
import type { TextStream } from '../environment.ts';

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves on the second signal. */
  readonly forced: Promise<void>;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens for Ctrl-C and termination signals: the first asks to stop, the second kills, later ones are ignored. */
export function listenForInterruption(source: Pick<EventEmitter, 'on'>, stderr: TextStream): Interruption {
  const controller = new AbortController();
  const { promise: forced, resolve } = Promise.withResolvers<void>();
  const interrupt = () => {
    if (controller.signal.aborted) {
      resolve();
      return;
    }
    controller.abort(new Error('interrupted'));
    stderr.write('\nrekindle: interrupted, cleaning up (interrupt again to kill everything first)\n');
  };
  for (const signal of signals) source.on(signal, interrupt);
  return { signal: controller.signal, forced };
}

/** What the main thread asks of the thread that serves the connections. */
export const commands = ['serve', 'silence', 'answer', 'end', 'end-all', 'stop'] as const;
export type Command = (typeof commands)[number];

/** Positions in the shared memory. */
export const field = { command: 0, fd: 1, number: 2, validSeconds: 3, isSilent: 4, isDone: 5 } as const;

export interface SharedCommand {
  readonly memory: SharedArrayBuffer;
  /** An eventfd. */
  readonly wake: number;
}

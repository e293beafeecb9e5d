/**
 * Node's flags for the bundled agent. They bound its memory under load. Idle with its prober it has 42 MB of anonymous memory with
 * or without them, on Node 24.21 (`memory.ts` measures it). Garbage is collected in the main thread alone: it would wait for V8's other threads,
 * which have neither its priority nor a processor on a busy node (docs/adr/0020).
 *
 * Flags that affect compilation must not be added: with them V8 rejects the code cache of Node's own modules, and the start takes
 * a tenth longer.
 */
export const v8Flags = ['--max-semi-space-size=2', '--max-old-space-size=128', '--single-threaded-gc'] as const;

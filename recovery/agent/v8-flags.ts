/**
 * Node's flags for the bundled agent. They bound its memory under load. Idle with its prober it has 42 MB of anonymous memory with
 * or without them, on Node 24.21 (`memory.ts` measures it).
 *
 * Flags that affect compilation must not be added: with them V8 rejects the code cache of Node's own modules, and the start takes
 * a tenth longer.
 */
export const v8Flags = ['--max-semi-space-size=2', '--max-old-space-size=128'] as const;

/**
 * The flags of Node that keep the bundled agent small: idle with its prober it holds 42 MB of its own with or without them, on
 * Node 24.21 (`memory.ts` prints it), and they bound what it gathers when there is much to do.
 *
 * Nothing that changes how code is compiled may stand here: with such a flag V8 refuses the compiled code of Node's own modules
 * that comes with Node, and the start costs a tenth more.
 */
export const v8Flags = ['--max-semi-space-size=2', '--max-old-space-size=128'] as const;

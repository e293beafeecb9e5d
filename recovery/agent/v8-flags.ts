/**
 * The flags of Node that keep the bundled agent small.
 *
 * Measured idle, agent and prober together, anonymous memory: see `memory.ts`, which prints it.
 */
export const v8Flags = ['--max-semi-space-size=1', '--max-old-space-size=128', '--optimize-for-size'] as const;

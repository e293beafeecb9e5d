/**
 * The flags of Node that keep the bundled agent small.
 *
 * Idle with its prober, anonymous memory on Node 24.21: 54 MB without flags, 42 to 46 MB with these. `--optimize-for-size` and
 * `--v8-pool-size=0` save less than a megabyte more on top; unbundled it is 147 MB, most of it the client's models.
 * `memory.ts` prints it.
 */
export const v8Flags = ['--max-semi-space-size=1', '--max-old-space-size=128'] as const;

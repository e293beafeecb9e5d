/**
 * The flags of Node that keep the bundled agent small and quick.
 *
 * An agent works for milliseconds now and then: what TurboFan costs to compile it never earns back, and where the agent is held
 * to 200m CPU that is paid by the pods that wait (250 of them: 33 -> 31 ms of CPU up to the last one, 145 -> 135 ms).
 *
 * Idle with its prober, anonymous memory on Node 24.21: 54 MB without flags, 42 to 46 MB with these. `--optimize-for-size` and
 * `--v8-pool-size=0` save less than a megabyte more on top; unbundled it is 147 MB, most of it the client's models.
 * `memory.ts` prints it.
 */
export const v8Flags = ['--no-turbofan', '--max-semi-space-size=1', '--max-old-space-size=128'] as const;

import { fileURLToPath } from 'node:url';

export type Command = readonly [program: string, ...args: string[]];

/** The processes that the agent starts. */
export interface Programs {
  /** If undefined, the kernel adapter's default is used. */
  readonly prober: Command | undefined;
  readonly usage: Command;
}

/** Keeps the memory of the children small: they hold one line at a time. */
const small = ['--max-semi-space-size=1', '--max-old-space-size=24', '--v8-pool-size=0'];

/** Locates the programs next to the bundle `agent.mjs`, or in the sources or their compiled copy. */
export function programsBeside(main: URL): Programs {
  const start = (path: string): Command => [
    process.execPath,
    ...small,
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL(path, main)),
  ];
  return main.pathname.endsWith('.mjs')
    ? { prober: start('./prober.mjs'), usage: start('./usage.mjs') }
    : { prober: undefined, usage: start('../csi/usage-main.ts') };
}

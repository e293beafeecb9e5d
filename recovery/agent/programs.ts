import { fileURLToPath } from 'node:url';

export type Command = readonly [program: string, ...args: string[]];

/** The processes that the agent starts. */
export interface Programs {
  /** Undefined where the kernel adapter's own will do. */
  readonly prober: Command | undefined;
  readonly usage: Command;
}

/** Little memory for children that hold one line at a time. */
const small = ['--max-semi-space-size=1', '--max-old-space-size=24', '--v8-pool-size=0'];

/** Where the programs lie: beside the bundle, which is `agent.mjs`, or among the sources and what is compiled of them. */
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

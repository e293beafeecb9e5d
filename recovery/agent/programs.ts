import { fileURLToPath } from 'node:url';

export type Command = readonly [program: string, ...args: string[]];

/** Keeps the memory of a child small: it holds one line at a time. */
const small = ['--max-semi-space-size=1', '--max-old-space-size=24', '--v8-pool-size=0'];

/** The prober beside the bundle `agent.mjs`; undefined if the sources or their compiled copy run, whose kernel adapter knows it. */
export function proberBeside(main: URL): Command | undefined {
  if (!main.pathname.endsWith('.mjs')) return undefined;
  const program = fileURLToPath(new URL('./prober.mjs', main));
  return [process.execPath, ...small, '--disable-warning=ExperimentalWarning', program];
}

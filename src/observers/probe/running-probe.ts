import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onLines } from '../../../fakes/lines.ts';
import { streamed } from '../../../fakes/program.ts';

/** A parsed line of the probe's output. */
interface ProbeLine {
  readonly [key: string]: unknown;
}

/** A probe that a test has started. Disposal kills it. */
export interface RunningProbe extends AsyncDisposable {
  readonly process: { readonly stdin: Writable; kill(signal: NodeJS.Signals): boolean };
  readonly lines: readonly ProbeLine[];
  /** Resolves with the first line, past or future, that matches; rejects if the probe ends without one. */
  line(matches: (line: ProbeLine) => boolean): Promise<ProbeLine>;
  readonly exited: Promise<number | null>;
}

/** Starts the probe as a separate process, as a cluster does. */
export function startProbe(flags: Readonly<Record<string, string | number>>): RunningProbe {
  const program = fileURLToPath(new URL('./main.ts', import.meta.url));
  const argv = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const child = execa(process.execPath, [program, ...argv], {
    ...streamed,
    extendEnv: true,
    stdin: 'pipe',
    stderr: 'ignore',
  });
  const lines: ProbeLine[] = [];
  const waiting = new Set<() => void>();
  const notify = () => {
    for (const check of waiting) check();
  };
  onLines(child.stdout, (text) => {
    lines.push(JSON.parse(text));
    notify();
  });
  let ended = false;
  const exited = child.then(({ exitCode = null }) => {
    ended = true;
    notify();
    return exitCode;
  });
  return {
    process: child,
    lines,
    exited,
    line: (matches) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = lines.find(matches);
          if (found === undefined && !ended) return;
          waiting.delete(check);
          if (found !== undefined) resolve(found);
          else reject(new Error(`the probe ended; its last line: ${JSON.stringify(lines.at(-1))}`));
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

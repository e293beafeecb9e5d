import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line of the probe, as a test sees it. */
interface ProbeLine {
  readonly [key: string]: unknown;
}

/** The probe started by a test; ends with it. */
export interface RunningProbe extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly lines: readonly ProbeLine[];
  /** Resolves with the first line, old or new, that fits; rejects if the probe ends without one. */
  line(fits: (line: ProbeLine) => boolean): Promise<ProbeLine>;
  readonly exited: Promise<number | null>;
}

/** Starts the probe as a process of its own, as a cluster does. */
export function startProbe(flags: Readonly<Record<string, string | number>>): RunningProbe {
  const program = fileURLToPath(new URL('./main.ts', import.meta.url));
  const argv = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const child = spawn(process.execPath, [program, ...argv], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines: ProbeLine[] = [];
  const waiting = new Set<() => void>();
  const notify = () => {
    for (const look of waiting) look();
  };
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text));
    notify();
  });
  let ended = false;
  const exited = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      ended = true;
      notify();
      resolve(code);
    });
  });
  return {
    process: child,
    lines,
    exited,
    line: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(fits);
          if (found === undefined && !ended) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`the probe ended; its last line: ${JSON.stringify(lines.at(-1))}`));
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ClusterEvent, RunningProgram, Terminal } from './cluster.ts';
import { onLines } from './node/lines.ts';

export interface TerminalOptions {
  /** A kubeconfig as text, whose current context is the cluster's. */
  readonly kubeConfig: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly runId: string;
  readonly onEvent: (event: ClusterEvent) => void;
}

/**
 * A folder of its own with the kubeconfig and what is written there, until disposed of; command lines are run by bash on a
 * terminal of their own (`man 1 script`), because `kubectl exec -it` asks for one.
 */
export function openTerminal({ kubeConfig, environment, runId, onEvent }: TerminalOptions): Terminal {
  const folder = mkdtempSync(join(tmpdir(), `rekindle-${runId}-terminal-`));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeConfig, { mode: 0o600 });
  const { PATH = '/usr/bin:/bin', REKINDLE_RUN_ID = runId } = environment;
  const open = new Set<ChildProcess>();
  let last = 0;
  const type = (lines: string) => {
    const script = join(folder, `.typed-${++last}`);
    writeFileSync(script, lines);
    const child = spawn('script', ['--quiet', '--flush', '--return', '--command', `bash ${script}`, '/dev/null'], {
      cwd: folder,
      env: { PATH, HOME: folder, KUBECONFIG: file, LC_ALL: 'C.UTF-8', TERM: 'dumb', REKINDLE_RUN_ID },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    open.add(child);
    child.stdin.on('error', () => {}); // It ended.
    const exited = new Promise<Awaited<RunningProgram['exited']>>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exitCode, signal) => {
        open.delete(child);
        resolve({ exitCode, signal });
      });
    });
    return { child, stdout: child.stdout as Readable, exited };
  };
  return {
    write: (name, content) => writeFileSync(join(folder, name), content, { mode: 0o600 }),
    async run(lines) {
      const { stdout, exited } = type(lines);
      const [printed, { exitCode }] = await Promise.all([text(stdout), exited]);
      return { exitCode, stdout: printed.replaceAll('\r\n', '\n') };
    },
    async start(lines, name) {
      const { child, stdout, exited } = type(lines);
      onLines(stdout, (line) => {
        const at = Number(process.hrtime.bigint());
        onEvent({ kind: 'output', at, program: name, stream: 'stdout', text: line.replace(/\r$/, '') });
      });
      return { name, exited, [Symbol.asyncDispose]: () => end(child, exited) };
    },
    async [Symbol.asyncDispose]() {
      for (const child of open) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** With the terminal goes what runs on it. */
async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}

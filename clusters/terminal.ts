import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterEvent, ExecResult, RunningProgram, Terminal } from './cluster.ts';
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

export interface CommandLineOptions {
  /** As the document prints it, pipes included. */
  readonly line: string;
  /** A kubeconfig as text: the only cluster that `kubectl` gets to know. */
  readonly kubeConfig: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly runId: string;
  readonly timeoutMs?: number;
}

/**
 * Runs a command line of the document where its reader would. The kubeconfig lies in a directory of its own, with what
 * kubectl caches, until the end; neither the user's contexts nor the user's caches are touched.
 */
export async function runCommandLine(options: CommandLineOptions): Promise<ExecResult> {
  const { line, kubeConfig, environment, runId, timeoutMs = 60_000 } = options;
  const home = mkdtempSync(join(tmpdir(), `rekindle-${runId}-kubectl-`));
  try {
    const file = join(home, 'kubeconfig');
    writeFileSync(file, kubeConfig, { mode: 0o600 });
    const { PATH = '', REKINDLE_RUN_ID = runId } = environment;
    // What fails in the middle of a pipe fails the whole, as its reader would see from what it printed.
    const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
      cwd: home,
      env: { PATH, HOME: home, KUBECONFIG: file, LC_ALL: 'C.UTF-8', REKINDLE_RUN_ID },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const ended = Promise.withResolvers<Pick<ExecResult, 'exitCode' | 'signal'>>();
    child.on('error', ended.reject);
    child.on('close', (exitCode, signal) => ended.resolve({ exitCode, signal }));
    const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended.promise]);
    return { ...end, stdout, stderr };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Whether `kubectl` is on the user's PATH. */
export function hasKubectl({ PATH = '' }: Readonly<Record<string, string | undefined>>): boolean {
  return PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'kubectl'), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** A kubeconfig as text, in whose contexts a namespace is the default one. */
export function withNamespace(kubeConfig: KubeConfig, namespace: string): string {
  const config: { readonly contexts: readonly { readonly context: object }[] } = JSON.parse(kubeConfig.exportConfig());
  const contexts = config.contexts.map((each) => ({ ...each, context: { ...each.context, namespace } }));
  return JSON.stringify({ ...config, contexts });
}

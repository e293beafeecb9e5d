import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ExecResult } from './cluster.ts';

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

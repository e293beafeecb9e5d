import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { onLines } from '../fakes/lines.ts';
import { monotonicNow } from '../recovery/clock.ts';
import type { ClusterEvent, ExecResult, Kubectl, Terminal } from './cluster.ts';

type ShellEnvironment = Readonly<Record<string, string | undefined>>;

export interface KubectlOptions {
  /** Text of a kubeconfig: the only cluster that `kubectl` knows. */
  readonly kubeConfig: string;
  readonly environment: ShellEnvironment;
  readonly runId: string;
  readonly onEvent: (event: ClusterEvent) => void;
}

/** Undefined if the PATH has no `kubectl`. */
export function findKubectl({ kubeConfig, environment, runId, onEvent }: KubectlOptions): Kubectl | undefined {
  if (!hasKubectl(environment)) return undefined;
  return {
    run: (line) => runCommandLine({ line, kubeConfig, environment, runId }),
    openTerminal: async (namespace) =>
      openTerminal({ kubeConfig: withNamespace(kubeConfig, namespace), environment, runId, onEvent }),
  };
}

export interface CommandLineOptions {
  /** As the document prints it, including pipes. */
  readonly line: string;
  /** Text of a kubeconfig: the only cluster that `kubectl` knows. */
  readonly kubeConfig: string;
  readonly environment: ShellEnvironment;
  readonly runId: string;
  readonly timeoutMs?: number;
}

/**
 * Runs a command line of the document. The kubeconfig is in a temporary home directory, together with kubectl's caches; the
 * user's contexts and caches are not touched.
 */
export async function runCommandLine(options: CommandLineOptions): Promise<ExecResult> {
  const { line, kubeConfig, environment, runId, timeoutMs = 60_000 } = options;
  const home = mkdtempSync(join(tmpdir(), `rekindle-${runId}-kubectl-`));
  try {
    const file = join(home, 'kubeconfig');
    writeFileSync(file, kubeConfig, { mode: 0o600 });
    const { PATH = '', REKINDLE_RUN_ID = runId } = environment;
    // A failure in the middle of a pipe fails the whole line, as its reader would notice from the output.
    const result = await execa('bash', ['-o', 'pipefail', '-c', line], {
      cwd: home,
      env: { PATH, HOME: home, KUBECONFIG: file, LC_ALL: 'C.UTF-8', REKINDLE_RUN_ID },
      extendEnv: false,
      stdin: 'ignore',
      stripFinalNewline: false,
      reject: false,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    if (result.exitCode === undefined && result.signal === undefined) throw result;
    const { exitCode = null, signal = null, stdout, stderr } = result;
    return { exitCode, signal, stdout, stderr };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

export function hasKubectl({ PATH = '' }: ShellEnvironment): boolean {
  return PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'kubectl'), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** Text of a kubeconfig in which all contexts have a default namespace. */
function withNamespace(kubeConfig: string, namespace: string): string {
  const config: { readonly contexts: readonly { readonly context: object }[] } = JSON.parse(kubeConfig);
  const contexts = config.contexts.map((entry) => ({ ...entry, context: { ...entry.context, namespace } }));
  return JSON.stringify({ ...config, contexts });
}

/**
 * A temporary folder with the kubeconfig and the files that are written there, removed on disposal. bash runs the command lines
 * on a pseudo-terminal (`man 1 script`), because `kubectl exec -it` requires one.
 */
export function openTerminal({ kubeConfig, environment, runId, onEvent }: KubectlOptions): Terminal {
  const folder = mkdtempSync(join(tmpdir(), `rekindle-${runId}-terminal-`));
  const kubeConfigFile = join(folder, 'kubeconfig');
  writeFileSync(kubeConfigFile, kubeConfig, { mode: 0o600 });
  const { PATH = '/usr/bin:/bin', REKINDLE_RUN_ID = runId } = environment;
  const running = new Set<{ kill(signal: 'SIGKILL'): boolean }>();
  let count = 0;
  const type = (lines: string, buffer: boolean) => {
    const script = join(folder, `.typed-${++count}`);
    writeFileSync(script, lines);
    const child = execa('script', ['--quiet', '--flush', '--return', '--command', `bash ${script}`, '/dev/null'], {
      cwd: folder,
      env: { PATH, HOME: folder, KUBECONFIG: kubeConfigFile, LC_ALL: 'C.UTF-8', TERM: 'dumb', REKINDLE_RUN_ID },
      extendEnv: false,
      stdin: 'pipe',
      stderr: 'ignore',
      stripFinalNewline: false,
      buffer,
      reject: false,
    });
    child.stdin.on('error', () => {}); // The program ended.
    running.add(child);
    const ended = child.finally(() => running.delete(child));
    return { child, ended };
  };
  return {
    write: (name, content) => writeFileSync(join(folder, name), content, { mode: 0o600 }),
    async run(lines) {
      const { exitCode = null, stdout } = await type(lines, true).ended;
      return { exitCode, stdout: (stdout ?? '').replaceAll('\r\n', '\n') };
    },
    async start(lines, name) {
      const { child, ended } = type(lines, false);
      onLines(child.stdout, (line) => {
        const at = monotonicNow();
        onEvent({ kind: 'output', at, program: name, stream: 'stdout', text: line.replace(/\r$/, '') });
      });
      const exited = ended.then(({ exitCode = null, signal = null }) => ({ exitCode, signal }));
      return {
        name,
        exited,
        async [Symbol.asyncDispose]() {
          child.kill('SIGKILL'); // What runs on the terminal ends with it.
          await exited;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const child of running) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

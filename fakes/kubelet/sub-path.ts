import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** One volumeMount with a subPath. */
export interface SubPathMount {
  /** Where the volume is on the node. */
  readonly volume: string;
  /** Relative, without `..`. */
  readonly subPath: string;
  /** Where it is bound: `<pod>/volume-subpaths/<volume>/<container>/<index>`. */
  readonly target: string;
}

export interface SubPathOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** How long the volume may take to answer. */
  readonly timeoutMs: number;
}

const program = fileURLToPath(new URL('./sub-path-main.ts', import.meta.url));

/**
 * Binds a directory or file of a volume where a container takes it from, as the kubelet does, and never what lies outside of
 * the volume. By a child process: the volume may be a FUSE mount that is dead or hangs. A sentence where it cannot be done.
 */
export async function bindSubPath(
  { volume, subPath, target }: SubPathMount,
  options: SubPathOptions,
): Promise<string | undefined> {
  const child = spawn(process.execPath, [program, volume, subPath, target], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...options.environment },
  });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  child.on('error', ({ message }) => resolve(message));
  child.on('close', (status) => resolve(status === 0 ? undefined : said.trim().split('\n').at(-1)));
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    resolve(`subpath "${subPath}" did not answer`);
  }, options.timeoutMs);
  return promise.finally(() => clearTimeout(timer));
}

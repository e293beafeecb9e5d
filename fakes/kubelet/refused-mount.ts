import { spawn } from 'node:child_process';

/** The CRI's limit for one call (`--runtime-request-timeout`), in milliseconds of the kubelet's clock. */
const runtimeTimeoutMs = 120_000;

export interface MountRequest {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of the kubelet's clock in one real second. */
  readonly clockScale: number;
}

/**
 * Why a container runtime would not take a path as the source of a mount, or undefined. containerd asks stat(2) of each and
 * refuses to create the container where that fails, as on a dead FUSE mount. Asked by a child process: a mount may hang.
 */
export async function refusedMount({ path, environment, clockScale }: MountRequest): Promise<string | undefined> {
  const child = spawn('stat', ['--file-system', '--format=%T', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environment, LC_ALL: 'C' },
  });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  child.on('error', ({ message }) => resolve(message));
  child.on('close', (status) => resolve(status === 0 ? undefined : `failed to stat "${path}": ${reasonOf(said)}`));
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    resolve('context deadline exceeded');
  }, runtimeTimeoutMs / clockScale);
  return promise.finally(() => clearTimeout(timer));
}

/** `stat: cannot read file system information for 'PATH': REASON`. */
function reasonOf(said: string): string {
  return said
    .trim()
    .replace(/^.*': /s, '')
    .toLowerCase();
}

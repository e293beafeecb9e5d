import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** The CRI's limit for one call (`--runtime-request-timeout`), in milliseconds of the kubelet's clock. */
const runtimeTimeoutMs = 120_000;

export interface MountSourceOptions {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of the kubelet's clock in one real second. */
  readonly clockScale: number;
}

/**
 * Checks a path that a container will mount; resolves with the reason if a container runtime would refuse it. containerd calls stat(2) on
 * each source and does not create the container if that fails, as it does on a dead FUSE mount.
 */
export async function refuseMountSource(options: MountSourceOptions): Promise<string | undefined> {
  const { path, environment, clockScale } = options;
  return failureOf(['stat', '--file-system', '--format=%T', path], {
    environment: { ...environment, LC_ALL: 'C' },
    timeoutMs: runtimeTimeoutMs / clockScale,
    // `stat: cannot read file system information for 'PATH': REASON`
    onFailure: (stderr) => `failed to stat "${path}": ${stderr.replace(/^.*': /s, '').toLowerCase()}`,
    onTimeout: 'context deadline exceeded',
  });
}

/** One volumeMount with a subPath. */
export interface SubPathMount {
  /** Path of the volume on the node. */
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

const subPathProgram = fileURLToPath(new URL('./sub-path-main.ts', import.meta.url));

/**
 * Binds a directory or file of a volume to the path from which a container mounts it, as the kubelet does, and never a path outside of the
 * volume. Resolves with the reason if it fails.
 */
export async function bindSubPath(mount: SubPathMount, options: SubPathOptions): Promise<string | undefined> {
  const { volume, subPath, target } = mount;
  return failureOf([process.execPath, subPathProgram, volume, subPath, target], {
    ...options,
    onFailure: (stderr) => stderr.split('\n').at(-1) ?? '',
    onTimeout: `subpath "${subPath}" did not answer`,
  });
}

interface CheckOptions extends SubPathOptions {
  readonly onFailure: (stderr: string) => string;
  readonly onTimeout: string;
}

/**
 * Runs a child process, because the volume may be a FUSE mount that hangs. Resolves with a message if it fails or takes too long. Does
 * not wait for the end of a process that is killed, since it may hang in the kernel.
 */
async function failureOf(
  [program = '', ...args]: readonly string[],
  options: CheckOptions,
): Promise<string | undefined> {
  const { environment, timeoutMs, onFailure, onTimeout } = options;
  const child = execa(program, args, {
    env: environment,
    extendEnv: false,
    cleanup: false,
    reject: false,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = new AbortController();
  const timeout = delay(timeoutMs, onTimeout, { signal: stop.signal });
  timeout.then(
    () => child.kill('SIGKILL'),
    () => {}, // The child was in time.
  );
  const ended = child.then(({ exitCode, stderr, shortMessage = '' }) => {
    stop.abort();
    if (exitCode === 0) return undefined;
    return exitCode === undefined ? shortMessage : onFailure(stderr.trim());
  });
  return Promise.race([ended, timeout]);
}

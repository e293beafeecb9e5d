import { type ChildProcess, spawn } from 'node:child_process';
import { readSync, writeSync } from 'node:fs';
import type { Result } from '../engine/ports.ts';
import type { Namespaces } from './namespaces.ts';
import type { LookupResponse, WaitRequest } from './prober/protocol.ts';
import { errnoOf, failed, inStep } from './result.ts';
import { O_PATH, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';

/** Milliseconds that a daemon may take for a look-up. Its source has just answered. */
const lookupTimeout = 1000;
/** Milliseconds that the child may take to start. */
const startTimeout = 5000;

/**
 * Opens directories inside FUSE mounts and waits for their daemons only up to a deadline.
 *
 * Paths in the kernel's cache are opened directly. A child process opens all others, and its descriptor is taken over. A child
 * that hangs is killed without waiting for its end.
 */
export interface Walker extends Disposable {
  /** Starts the child if it is not running. Must be called before a mount namespace is visited. */
  prepare(): void;
  /** Opens (O_PATH) `path` below a descriptor, through no symbolic link. ETIMEDOUT: the daemon did not answer. */
  open(at: number, path: string): Result<number>;
}

interface WalkerProcess {
  readonly process: ChildProcess;
  readonly requests: number;
  readonly responses: number;
  /** Whether it has started and serves requests. */
  isReady: boolean;
}

export function createWalker(
  sys: Syscalls,
  namespaces: Pick<Namespaces, 'openOf'>,
  command: readonly string[],
): Walker {
  let child: WalkerProcess | undefined;
  const buffer = Buffer.alloc(256);
  let nextId = 1;

  function end(): void {
    if (child === undefined) return;
    child.process.kill('SIGKILL');
    sys.close(child.requests);
    sys.close(child.responses);
    child = undefined;
  }

  function openInChild(child: WalkerProcess, at: number, path: string): Result<number> {
    const { requests, responses, process } = child;
    const failure = { errno: 'ETIMEDOUT', call: 'openat2', path, step: '' };
    try {
      if (!child.isReady) {
        const started = sys.waitReadable(responses, startTimeout);
        if (!started.ok || !started.value) return failed(failure);
        child.isReady = readSync(responses, buffer) > 0;
      }
      const id = nextId++;
      writeSync(requests, `${JSON.stringify({ id, at, path } satisfies WaitRequest)}\n`);
      const answered = sys.waitReadable(responses, lookupTimeout);
      if (!answered.ok || !answered.value) return failed(failure);
      const text = buffer.toString('utf8', 0, readSync(responses, buffer));
      if (text === '') return failed({ ...failure, errno: 'ECHILD' });
      const response: LookupResponse = JSON.parse(text);
      if ('errno' in response) return failed({ ...failure, errno: response.errno });
      const opened = namespaces.openOf(process.pid ?? 0, response.fd);
      writeSync(requests, `${JSON.stringify({ release: id } satisfies WaitRequest)}\n`);
      return inStep('', path, opened);
    } catch (error) {
      return failed({ ...failure, errno: errnoOf(error) });
    }
  }

  return {
    prepare() {
      if (child?.process.exitCode === null && child.process.signalCode === null) return;
      end();
      child = startChild(sys, command);
    },
    open(at, path) {
      const resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
      const cached = sys.openat2({ at, path, flags: O_PATH, resolve: resolve | RESOLVE_CACHED });
      if (cached.ok) return cached;
      // The child was abandoned earlier in this visit, so later look-ups do not wait again.
      if (child === undefined) return failed({ errno: 'ETIMEDOUT', call: 'openat2', path, step: '' });
      const opened = openInChild(child, at, path);
      if (!opened.ok && (opened.failure.errno === 'ETIMEDOUT' || opened.failure.errno === 'ECHILD')) end();
      return opened;
    },
    [Symbol.dispose]: end,
  };
}

function startChild(
  sys: Syscalls,
  [program = process.execPath, ...args]: readonly string[],
): WalkerProcess | undefined {
  const [input, output] = [sys.pipe(), sys.pipe()];
  if (!input.ok || !output.ok) {
    for (const pipe of [input, output]) if (pipe.ok) for (const fd of pipe.value) sys.close(fd);
    return undefined;
  }
  const [stdin, requests] = input.value;
  const [responses, stdout] = output.value;
  const child = spawn(program, [...args, 'wait'], { stdio: [stdin, stdout, 'inherit'], env: {} });
  // It ends with this process, which does not wait for it.
  child.unref();
  child.on('error', () => {});
  sys.close(stdin);
  sys.close(stdout);
  return { process: child, requests, responses, isReady: false };
}

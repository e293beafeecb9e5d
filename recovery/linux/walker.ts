import { type ChildProcess, spawn } from 'node:child_process';
import { readSync, writeSync } from 'node:fs';
import type { Result } from '../engine/ports.ts';
import { errnoOf } from './errno.ts';
import type { Namespaces } from './namespaces.ts';
import { failed, inStep } from './result.ts';
import { O_PATH, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';

/** How long a daemon may take to look a name up, in milliseconds: its source has just been read from. */
const patience = 1000;
/** How long the child may take to come up, in milliseconds: that is no daemon's doing. */
const startPatience = 5000;

/**
 * Opens directories inside FUSE mounts without ever waiting for their daemons longer than a deadline.
 *
 * What the kernel remembers is opened at once. For anything else a child walks the way, and its descriptor is taken over; a
 * child that hangs is killed, and is not waited for.
 */
export interface Walker extends Disposable {
  /** Starts the child where it is not up. To be called at home, before a mount namespace is visited. */
  prepare(): void;
  /** Opens (O_PATH) what lies at `path` below a descriptor, through no symbolic link. ETIMEDOUT: the daemon did not answer. */
  open(at: number, path: string): Result<number>;
}

interface Child {
  readonly process: ChildProcess;
  readonly requests: number;
  readonly answers: number;
  /** Whether it has said that it is up. */
  isReady: boolean;
}

export function createWalker(
  sys: Syscalls,
  namespaces: Pick<Namespaces, 'openOf'>,
  command: readonly string[],
): Walker {
  let child: Child | undefined;
  const buffer = Buffer.alloc(256);

  function end(): void {
    if (child === undefined) return;
    child.process.kill('SIGKILL');
    sys.close(child.requests);
    sys.close(child.answers);
    child = undefined;
  }

  function ask(child: Child, at: number, path: string): Result<number> {
    const { requests, answers, process } = child;
    const failure = { errno: 'ETIMEDOUT', call: 'openat2', path, step: '' };
    try {
      if (!child.isReady) {
        const up = sys.waitReadable(answers, startPatience);
        if (!up.ok || !up.value) return failed(failure);
        child.isReady = readSync(answers, buffer) > 0;
      }
      writeSync(requests, `${JSON.stringify({ at, path })}\n`);
      const answered = sys.waitReadable(answers, patience);
      if (!answered.ok || !answered.value) return failed(failure);
      const said = buffer.toString('utf8', 0, readSync(answers, buffer)).trim();
      if (said === '') return failed({ ...failure, errno: 'ECHILD' });
      if (!/^\d+$/.test(said)) return failed({ ...failure, errno: said });
      const opened = namespaces.openOf(process.pid ?? 0, Number(said));
      writeSync(requests, `${JSON.stringify({ release: true })}\n`);
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
      // Given up a moment ago: all that follow in the same visit are spared the wait.
      if (child === undefined) return failed({ errno: 'ETIMEDOUT', call: 'openat2', path, step: '' });
      const opened = ask(child, at, path);
      if (!opened.ok && (opened.failure.errno === 'ETIMEDOUT' || opened.failure.errno === 'ECHILD')) end();
      return opened;
    },
    [Symbol.dispose]: end,
  };
}

function startChild(sys: Syscalls, [program = process.execPath, ...args]: readonly string[]): Child | undefined {
  const [down, up] = [sys.pipe(), sys.pipe()];
  if (!down.ok || !up.ok) {
    for (const pipe of [down, up]) if (pipe.ok) for (const fd of pipe.value) sys.close(fd);
    return undefined;
  }
  const [stdin, requests] = down.value;
  const [answers, stdout] = up.value;
  const child = spawn(program, [...args, 'walk'], { stdio: [stdin, stdout, 'inherit'], env: {} });
  // It lives as long as we do, and nobody waits for it.
  child.unref();
  child.on('error', () => {});
  sys.close(stdin);
  sys.close(stdout);
  return { process: child, requests, answers, isReady: false };
}

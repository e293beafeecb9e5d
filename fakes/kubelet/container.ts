import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Linux } from './linux.ts';
import { type ClonedMount, type ContainerMount, enterRootfs } from './rootfs.ts';

export interface ContainerSpec {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly mounts: readonly ContainerMount[];
  /** Mount points that are files: etc-hosts, termination-log. */
  readonly files: ReadonlySet<string>;
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A directory on the node, empty, over which each container's root is built; and what the roots have to contain. */
export interface RuntimeOptions {
  readonly linux: Linux;
  readonly scratch: string;
  readonly keep: readonly string[];
}

type Program = ChildProcessByStdio<null, Readable, Readable>;

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started container: process 1 of PID and mount namespaces of its own. It is over when `exited` resolves. */
export interface StartedContainer {
  readonly pid: number;
  readonly program: Program;
  readonly exited: Promise<Exit>;
  /** Starts a program in the container's namespaces, as CRI's Exec does. */
  exec(argv: readonly string[], environment: Readonly<Record<string, string>>, workingDirectory?: string): Program;
}

/** Starts a container. Everything up to its first instruction is synchronous, so that nothing can come in between. */
export function startContainer({ linux, scratch, keep }: RuntimeOptions, spec: ContainerSpec): StartedContainer {
  const clones: ClonedMount[] = [];
  try {
    for (const mount of spec.mounts) {
      const tree = linux.cloneTree(mount.source);
      clones.push({ ...mount, tree, isDirectory: !spec.files.has(mount.target) });
      if (mount.readOnly) linux.setReadOnly(tree);
    }
    const program = linux.inNewNamespaces(() => {
      enterRootfs(linux, scratch, clones, keep);
      return spawnProgram(asProcessOne(spec), spec.environment, spec.workingDirectory);
    });
    return started(linux, program);
  } finally {
    for (const { tree } of clones) linux.close(tree);
  }
}

/**
 * Only a process inside the new PID namespace can mount its /proc, so the container's program is preceded by a shell. That ends when
 * it is told to: process 1 never hears a signal that it has no handler for, and the pod would wait for its grace period.
 */
function asProcessOne({ argv, user }: ContainerSpec): readonly string[] {
  const identity = user ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--'] : [];
  const script = 'trap "exit 143" TERM; mount -t proc proc /proc && exec "$@"';
  return ['/bin/sh', '-c', script, 'container', ...identity, ...argv];
}

function started(linux: Linux, program: Program): StartedContainer {
  const { pid } = program;
  if (pid === undefined) throw new Error('the container has no process');
  return {
    pid,
    program,
    exited: exitOf(program),
    exec: (argv, environment, workingDirectory = '/') =>
      linux.inNamespacesOf(pid, ['mnt', 'pid'], () => spawnProgram(argv, environment, workingDirectory)),
  };
}

/** How a program ended; a program that could not be started ends with 127, as a shell would say. */
export async function exitOf(program: Program): Promise<Exit> {
  try {
    const [exitCode, signal] = await once(program, 'close');
    return { exitCode, signal };
  } catch {
    return { exitCode: 127, signal: null };
  }
}

function spawnProgram([file, ...args]: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Program {
  if (file === undefined) throw new Error('a container needs a program');
  return spawn(file, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

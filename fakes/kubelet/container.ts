import type { V1Container, V1EnvVar, V1LifecycleHandler, V1Pod } from '@kubernetes/client-node';
import { type Exit, exitOf, type Program, startProgram } from '../program.ts';
import type { Linux } from './linux.ts';
import { type ClonedMount, type ContainerMount, enterRootfs } from './rootfs.ts';

export interface ContainerSpec {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly mounts: readonly ContainerMount[];
  /** The mount points that are files: etc-hosts, termination-log. */
  readonly files: ReadonlySet<string>;
  /** It sees the processes of the node. */
  readonly hostPid?: boolean;
  /** Absent: those of the fake kubelet itself. */
  readonly privileges?: Privileges;
}

export interface Privileges {
  readonly user?: { readonly uid: number; readonly gid: number };
  /** All that it may ever have, in lower case and without `CAP_`. Absent: no limit. */
  readonly capabilities?: readonly string[];
  readonly noNewPrivileges?: boolean;
  readonly readOnlyRoot?: boolean;
}

export interface RuntimeOptions {
  readonly linux: Linux;
  /** An empty directory of the node, on which each container's root is built. */
  readonly scratch: string;
  /** Paths of the machine that every root must contain. */
  readonly keep: readonly string[];
  /** A directory of the node below each root, in place of an image. */
  readonly image?: string | undefined;
  /** As of `Rootfs`. */
  readonly links?: Readonly<Record<string, string>> | undefined;
}

/** A started container: process 1 of its own PID and mount namespaces. It has ended when `exited` resolves. */
export interface StartedContainer {
  readonly pid: number;
  readonly program: Program;
  readonly exited: Promise<Exit>;
  /** Starts a program in the container's namespaces, as CRI's Exec does. */
  exec(argv: readonly string[], environment: Readonly<Record<string, string>>, workingDirectory?: string): Program;
}

/** Starts a container. It is synchronous up to the container's first instruction, so that no other code runs in the wrong namespace. */
export function startContainer(
  { linux, scratch, keep, image, links }: RuntimeOptions,
  spec: ContainerSpec,
): StartedContainer {
  const clones: ClonedMount[] = [];
  try {
    for (const mount of spec.mounts) {
      const tree = linux.cloneTree(mount.source);
      const clone = { ...mount, tree, isDirectory: !spec.files.has(mount.target), remountReadOnly: false };
      const index = clones.push(clone) - 1;
      if (mount.readOnly && !linux.setReadOnly(tree)) clones[index] = { ...clone, remountReadOnly: true };
    }
    const kinds = spec.hostPid ? (['mnt'] as const) : (['mnt', 'pid'] as const);
    const program = linux.inNewNamespaces(kinds, () => {
      const isReadOnly = spec.privileges?.readOnlyRoot;
      enterRootfs(linux, clones, { root: scratch, keep, image, links, isReadOnly });
      return startProgram(asFirstProcess(spec), { env: spec.environment, cwd: spec.workingDirectory });
    });
    return started(linux, program);
  } finally {
    for (const { tree } of clones) linux.close(tree);
  }
}

/**
 * Only a process inside a new PID namespace can mount its /proc, so a shell runs before the container's program. The shell handles
 * SIGTERM, because process 1 ignores signals without a handler and the pod would then wait for its grace period.
 */
function asFirstProcess({ argv, hostPid, privileges = {} }: ContainerSpec): readonly string[] {
  const script = `trap "exit 143" TERM; ${hostPid ? '' : 'mount -t proc proc /proc && '}exec "$@"`;
  return ['/bin/sh', '-c', script, 'container', ...withPrivileges(privileges), ...argv];
}

function withPrivileges({ user, capabilities, noNewPrivileges }: Privileges): readonly string[] {
  const only = capabilities && ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const flags = [
    ...(user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : []),
    ...(only === undefined ? [] : [`--bounding-set=${only}`, '--inh-caps=-all']),
    ...(noNewPrivileges ? ['--no-new-privs'] : []),
  ];
  return flags.length === 0 ? [] : ['setpriv', ...flags, '--'];
}

/** The privileges that the security contexts of pod and container grant, without a seccomp filter. Root is the sandbox's own. */
export function privilegesOf({ spec }: V1Pod, { securityContext }: V1Container): Privileges {
  const { runAsUser, runAsGroup, allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem } = {
    ...spec?.securityContext,
    ...securityContext,
  };
  return {
    ...(runAsUser && { user: { uid: runAsUser, gid: runAsGroup ?? runAsUser } }),
    ...(capabilities?.drop?.includes('ALL') && {
      capabilities: (capabilities.add ?? []).map((name) => name.toLowerCase()),
    }),
    ...(allowPrivilegeEscalation === false && { noNewPrivileges: true }),
    ...(readOnlyRootFilesystem && { readOnlyRoot: true }),
  };
}

function started(linux: Linux, program: Program): StartedContainer {
  const { pid } = program;
  if (pid === undefined) throw new Error('the container has no process');
  return {
    pid,
    program,
    exited: exitOf(program),
    exec: (argv, env, cwd = '/') => linux.inNamespacesOf(pid, ['mnt', 'pid'], () => startProgram(argv, { env, cwd })),
  };
}

export interface HookOptions {
  readonly container: StartedContainer;
  readonly handler: V1LifecycleHandler;
  readonly environment: Readonly<Record<string, string>>;
  /** Receives its standard error. */
  readonly log: (chunk: string) => void;
  /** Settles when the hook must be abandoned. */
  readonly ended: Promise<unknown>;
}

/** Runs a lifecycle hook in a running container; resolves with whether it succeeded in time. */
export async function runHook({ container, handler, environment, log, ended }: HookOptions): Promise<boolean> {
  const { exec } = handler;
  if (!exec?.command) return true;
  try {
    const program = container.exec(exec.command, environment);
    program.stdout.resume();
    program.stderr.setEncoding('utf8').on('data', log);
    const abandoned = ended.then(() => false);
    return await Promise.race([exitOf(program).then(({ exitCode }) => exitCode === 0), abandoned]);
  } catch {
    return false; // The container ended while it was being entered.
  }
}

/** The commands of images. Images are not pulled; containers run the machine's own programs. */
export interface Images {
  /** The command of an image, if the pod's spec has none; `args` of the spec are appended. */
  entrypoint(image: string): readonly string[];
}

/** Runs until SIGTERM, like a web server without requests. */
const idle = ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'];

/** `known` maps image names without tag to commands; every other image idles. */
export function createImages(known: Readonly<Record<string, readonly string[]>>): Images {
  return { entrypoint: (image) => known[image.replace(/(@sha256:.*|:[^/:]*)$/, '')] ?? idle };
}

/** The environment of a container by its pod's spec: values, and fields of the pod by `valueFrom.fieldRef`. */
export function containerEnvironment({ env = [] }: V1Container, pod: V1Pod): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map((variable) => [variable.name, resolveValue(variable, pod)]));
}

function resolveValue({ value, valueFrom }: V1EnvVar, { metadata, spec }: V1Pod): string {
  switch (valueFrom?.fieldRef?.fieldPath) {
    case 'metadata.name':
      return metadata?.name ?? '';
    case 'metadata.namespace':
      return metadata?.namespace ?? '';
    case 'metadata.uid':
      return metadata?.uid ?? '';
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    default:
      return value ?? '';
  }
}

/** Expands `$(NAME)`; `$$` is a dollar sign. Undefined if a variable is missing (`ExpandContainerVolumeMounts`). */
export function expand(text: string, environment: Readonly<Record<string, string>>): string | undefined {
  let missing = false;
  const expanded = text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = environment[name];
    if (value === undefined) missing = true;
    return value ?? all;
  });
  return missing ? undefined : expanded;
}

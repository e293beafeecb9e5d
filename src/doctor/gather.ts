import { closeSync, constants, openSync, readFileSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export interface GatherOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of temporary files, absolute. */
  readonly temporary: string;
}

const sysctlNames = [
  'kernel.unprivileged_userns_clone',
  'kernel.apparmor_restrict_unprivileged_userns',
  'user.max_user_namespaces',
  'fs.inotify.max_user_instances',
];

/** Inspects this machine. Tries what might hang or crash (namespaces, native libraries) in separate processes. */
export async function gather({ env, temporary }: GatherOptions): Promise<MachineFacts> {
  const unshareProgram = programOnPath('unshare', env) !== undefined;
  const [namespaces, userNamespaces, koffi, fuseNative, writable] = await Promise.all([
    attemptNamespaces(['--mount'], env),
    attemptNamespaces(['--mount', '--user', '--map-root-user'], env),
    attemptLibrary('koffi', env),
    attemptLibrary('fuse-native', env),
    attemptWrite(temporary),
  ]);
  const glibc = glibcVersion();
  return {
    platform: process.platform,
    arch: process.arch,
    ...(glibc === undefined ? {} : { glibc }),
    kernelRelease: release(),
    nodeVersion: process.version,
    root: process.geteuid?.() === 0,
    fuseDevice: fuseDevice('/dev/fuse'),
    unshareProgram,
    namespaces,
    userNamespaces,
    sysctls: readSysctls(),
    koffi,
    fuseNative,
    temporary: { path: temporary, writable, freeBytes: freeBytes(temporary) },
  };
}

async function attemptProgram(
  program: string,
  args: readonly string[],
  env: GatherOptions['env'],
): Promise<AttemptResult> {
  const ended = await execa(program, args, {
    env: { ...env, LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  if (!ended.failed) return { ok: true };
  return { ok: false, says: lastLine(ended.stderr) ?? lastLine(ended.shortMessage) ?? 'failed' };
}

/** Creates namespaces and a mount in them, because some machines allow only the former. Both end with the process. */
function attemptNamespaces(flags: readonly string[], env: GatherOptions['env']): Promise<AttemptResult> {
  const mount = ['mount', '-t', 'tmpfs', 'rekindle-doctor', '/proc'];
  return attemptProgram('unshare', [...flags, '--pid', '--fork', '--kill-child', ...mount], env);
}

function attemptLibrary(name: 'koffi' | 'fuse-native', env: GatherOptions['env']): Promise<AttemptResult> {
  return attemptProgram(process.execPath, [fileURLToPath(new URL('load-library.ts', import.meta.url)), name], env);
}

async function attemptWrite(directory: string): Promise<AttemptResult> {
  try {
    rmdirSync(await mkdtemp(join(directory, 'rekindle-doctor-')));
    return { ok: true };
  } catch (error) {
    return { ok: false, says: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** 10:229. A container may have another file of that name. */
const fuseDeviceNumber = (10 << 8) | 229;

function fuseDevice(path: string): FuseDevice {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isCharacterDevice() || stat.rdev !== fuseDeviceNumber) return { state: 'absent' };
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  try {
    closeSync(openSync(path, constants.O_RDWR));
    return { state: 'open', mode };
  } catch (error) {
    return { state: 'closed', errno: (error as NodeJS.ErrnoException).code ?? String(error), mode };
  }
}

function readSysctls(): Readonly<Record<string, string>> {
  const found = sysctlNames.flatMap((name) => {
    try {
      return [[name, readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim()] as const];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(found);
}

function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function glibcVersion(): string | undefined {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  // Otherwise the report asks name servers about each address of this machine.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}

function lastLine(text: string | undefined): string | undefined {
  return text?.trim().split('\n').at(-1) || undefined;
}

/** What `gather` found on this machine, as plain data. A failed attempt carries its error message. */
export interface MachineFacts {
  /** `linux`, as in process.platform. */
  readonly platform: string;
  /** `x64`, as in process.arch. */
  readonly arch: string;
  /** Version of the C library; absent if it is not glibc. */
  readonly glibc?: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
  readonly nodeVersion: string;
  readonly root: boolean;
  readonly fuseDevice: FuseDevice;
  /** Whether the program that creates the sandbox's namespaces is on the PATH. */
  readonly unshareProgram: boolean;
  /** Creation of mount and PID namespaces with this process's capabilities. */
  readonly namespaces: AttemptResult;
  /** Creation of mount and PID namespaces inside a new user namespace. */
  readonly userNamespaces: AttemptResult;
  /** Values of relevant sysctls by name. Those that do not exist on this machine are absent. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly koffi: AttemptResult;
  readonly fuseNative: AttemptResult;
  readonly temporary: { readonly path: string; readonly writable: AttemptResult; readonly freeBytes: number };
}

export type AttemptResult = { readonly ok: true } | { readonly ok: false; readonly says: string };

/** `/dev/fuse`. */
export type FuseDevice =
  | { readonly state: 'absent' }
  | { readonly state: 'closed'; readonly errno: string; readonly mode: string }
  | { readonly state: 'open'; readonly mode: string };

/** Absolute path of a program, as a shell would find it, or undefined if the PATH does not have it. */
export function programOnPath(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  return (env.PATH ?? '/usr/bin:/bin')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    const stat = statSync(path);
    return stat.isFile() && (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

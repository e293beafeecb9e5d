import type { Container } from '../../engine/model.ts';
import { ok } from '../result.ts';
import { CLONE_NEWNS, MNT_DETACH, MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT, MS_SLAVE } from '../syscalls.ts';
import type { ModelledSyscalls } from './modelled-syscalls.ts';

/** A process that an agent on the modelled kernel sees, such as process 1 of a container. */
export interface ModelledProcess {
  readonly pid: number;
  /** Reveals a pid that was given again. */
  readonly startTime: string;
  readonly user: Container['user'];
  /** `user:[inode]` if it has a user namespace of its own. */
  readonly userNamespace?: string;
  /** Symbolic links of its image, as absolute paths. */
  readonly links?: Readonly<Record<string, string>>;
  readonly sys: ModelledSyscalls;
}

/** A directory or file of the node that a runtime mounts into a container. */
export interface RuntimeMount {
  readonly from: string;
  readonly path: string;
  readonly readOnly?: boolean;
  readonly propagation?: 'slave' | 'private';
}

/** Where the runtime assembles the root of a container; the node must have it. */
const assembly = '/run/container';

/** Makes a process one of a container, with mounts of the node's directories, as a runtime does (runc `rootfs_linux.go`). */
export function enterContainer(sys: ModelledSyscalls, mounts: readonly RuntimeMount[]): void {
  const mount = (target: string, flags: number, source: string | null = null, fstype: string | null = null) =>
    done(sys.mount({ source, target, fstype, flags }));
  done(sys.unshare(CLONE_NEWNS));
  mount('/', MS_REC | MS_SLAVE);
  mount(assembly, 0, 'overlay', 'overlay');
  for (const { from, path, readOnly = false, propagation = 'private' } of mounts) {
    const target = `${assembly}${path}`;
    makeDirectory(sys, target);
    mount(target, MS_BIND | MS_REC, from);
    mount(target, MS_REC | (propagation === 'slave' ? MS_SLAVE : MS_PRIVATE));
    if (readOnly) mount(target, MS_REMOUNT | MS_BIND | MS_RDONLY);
  }
  mount(assembly, MS_PRIVATE);
  done(sys.pivotRoot(assembly, assembly));
  done(sys.umount('/', MNT_DETACH));
}

/** Makes a directory with those above it. @throws Error if a call fails otherwise than with EEXIST */
export function makeDirectory(sys: ModelledSyscalls, path: string): void {
  let made = '';
  for (const name of path.split('/').slice(1)) {
    made += `/${name}`;
    const result = sys.mkdir(made);
    done(!result.ok && result.failure.errno === 'EEXIST' ? ok(undefined) : result);
  }
}

function done(result: ReturnType<ModelledSyscalls['mkdir']>): void {
  if (!result.ok) throw new Error(`${result.failure.call} ${result.failure.path}: ${result.failure.errno}`);
}

/** The path to which symbolic links lead, given as absolute paths. */
export function followLinks(path: string, links: Readonly<Record<string, string>> = {}): string {
  const link = Object.keys(links).find((each) => path === each || path.startsWith(`${each}/`));
  return link === undefined ? path : `${links[link]}${path.slice(link.length)}`;
}

import type { Colour } from '../colour.ts';
import { type GatherOptions, gather, type MachineFacts } from './gather.ts';

/** One line of the doctor's table. */
export interface Finding {
  readonly what: string;
  /** `ok`: as required. `note`: works with limitations. `missing`: prevents a run. */
  readonly mark: 'ok' | 'note' | 'missing';
  readonly says: string;
  /** What to do about it. Present unless the mark is `ok`. */
  readonly remedy?: string;
}

const leastFreeBytes = 256 * 1024 * 1024;

/** Judges each requirement of the sandbox, in the order in which a user would fix them. Pure. */
export function assess(facts: MachineFacts): readonly Finding[] {
  return [
    platform(facts),
    kernel(facts),
    nodeVersion(facts),
    fuseDevice(facts),
    unshareProgram(facts),
    namespaces(facts),
    library('koffi', 'calls the kernel', facts.koffi),
    fuseServer(facts),
    temporary(facts),
    inotify(facts),
  ];
}

const processors = { x64: 'x86-64', arm64: 'arm64' } as const;

function platform({ platform, arch, glibc }: MachineFacts): Finding {
  const what = 'platform';
  const remedy =
    'run it on Linux x86-64 or arm64 with glibc: Debian, Ubuntu, Fedora, RHEL and their like, not Alpine; elsewhere in a container (docs/how-to/run-on-another-system.md)';
  if (platform !== 'linux' || !(arch in processors)) return missing(what, `this is ${platform} on ${arch}`, remedy);
  if (glibc === undefined) return missing(what, 'the C library is not glibc', remedy);
  return ok(what, `Linux ${processors[arch as keyof typeof processors]}, glibc ${glibc}`);
}

/** The major and minor version of a kernel release such as `6.8.0-41-generic`. */
export function kernelVersion(release: string): readonly [major: number, minor: number] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0)];
}

function kernel({ kernelRelease }: MachineFacts): Finding {
  return kernelFinding('kernel', kernelRelease);
}

/** Judges what recovery can do on a kernel of this release. */
export function kernelFinding(what: string, kernelRelease: string): Finding {
  const [major, minor] = kernelVersion(kernelRelease);
  const atLeast = (wantMajor: number, wantMinor: number) =>
    major > wantMajor || (major === wantMajor && minor >= wantMinor);
  if (atLeast(6, 5)) return ok(what, `${kernelRelease}: tier 6.5, mounts are replaced beneath`);
  const remedy = 'Linux 6.5 or later replaces mounts beneath, so that depth stays one';
  if (atLeast(5, 12)) return note(what, `${kernelRelease}: tier 5.12, mounts are stacked`, remedy);
  if (atLeast(5, 10)) return note(what, `${kernelRelease}: tier 5.10, flags by a private staging bind`, remedy);
  return missing(what, `${kernelRelease} is before 5.10`, 'boot Linux 5.10 or later');
}

function nodeVersion({ nodeVersion }: MachineFacts): Finding {
  const major = Number(/^v(\d+)/.exec(nodeVersion)?.[1] ?? 0);
  if (major >= 24) return ok('Node', nodeVersion);
  return missing(
    'Node',
    `${nodeVersion} is before 24`,
    'start it by bin/rekindle.js, which brings the Node that it needs',
  );
}

function fuseDevice({ fuseDevice, root }: MachineFacts): Finding {
  const what = '/dev/fuse';
  switch (fuseDevice.state) {
    case 'open':
      return ok(what, `can be opened (mode ${fuseDevice.mode})`);
    case 'absent':
      return missing(
        what,
        'is not there, or is another file',
        'modprobe fuse; in a container: docker run --device /dev/fuse',
      );
    case 'closed':
      return missing(
        what,
        `cannot be opened: ${fuseDevice.errno} (mode ${fuseDevice.mode})`,
        root ? 'in a container: docker run --device /dev/fuse' : 'sudo chmod 0666 /dev/fuse, or run as root',
      );
  }
}

function unshareProgram({ unshareProgram }: MachineFacts): Finding {
  if (unshareProgram) return ok('unshare', 'is on the PATH');
  return missing('unshare', 'is not on the PATH', 'install util-linux 2.32 or later');
}

function namespaces(facts: MachineFacts): Finding {
  const what = 'namespaces';
  if (!facts.unshareProgram) return note(what, 'cannot be tried without unshare', 'install util-linux');
  if (facts.namespaces.ok) return ok(what, facts.root ? 'made as root' : 'made with the capabilities of this user');
  if (facts.userNamespaces.ok) return ok(what, 'made in a user namespace, without root');
  const says = `neither by right (${facts.namespaces.says}) nor in a user namespace (${facts.userNamespaces.says})`;
  return missing(what, says, namespaceRemedy(facts));
}

function namespaceRemedy({ sysctls, root }: MachineFacts): string {
  if (root) return 'give the container CAP_SYS_ADMIN and no seccomp profile: docker run --privileged';
  if (sysctls['kernel.unprivileged_userns_clone'] === '0')
    return 'sudo sysctl kernel.unprivileged_userns_clone=1, or run as root';
  if (sysctls['kernel.apparmor_restrict_unprivileged_userns'] === '1') {
    return 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root';
  }
  if (sysctls['user.max_user_namespaces'] === '0') return 'sudo sysctl user.max_user_namespaces=10000, or run as root';
  return 'run as root, or in a container: docker run --privileged';
}

function library(name: string, purpose: string, attempt: MachineFacts['koffi']): Finding {
  if (attempt.ok) return ok(name, `loads (${purpose})`);
  return missing(name, `does not load: ${attempt.says}`, 'npm ci, in a folder that is not mounted noexec');
}

function fuseServer({ arch, fuseNative }: MachineFacts): Finding {
  // The fake daemon serves by its own implementation of the protocol then.
  if (arch === 'arm64') return ok('fuse-native', 'is not needed on arm64: the FUSE protocol is served without it');
  return library('fuse-native', 'serves the FUSE file system', fuseNative);
}

function temporary({ temporary: { path, writable, freeBytes } }: MachineFacts): Finding {
  const what = 'temporary files';
  const free = `${Math.floor(freeBytes / 1024 / 1024)} MB free`;
  if (!writable.ok)
    return missing(what, `${path} cannot be written: ${writable.says}`, 'set TMPDIR to a folder that can be written');
  if (freeBytes < leastFreeBytes) {
    return missing(what, `${path} has ${free}`, 'make room, or set TMPDIR to a folder with 256 MB free');
  }
  return ok(what, `${path}, ${free}`);
}

const inotifyName = 'fs.inotify.max_user_instances';
/** On each node of kind, systemd, the kubelet and the container runtime use a few dozen. */
const leastInotify = 256;

/** Only clusters whose nodes are containers need it. */
function inotify({ sysctls }: MachineFacts): Finding {
  const what = 'inotify';
  const value = sysctls[inotifyName];
  const says = `${inotifyName} is ${value ?? 'not known'}`;
  if (value === undefined || Number(value) >= leastInotify) return ok(what, says);
  return note(what, `${says}: too few for kind with several nodes`, `sudo sysctl ${inotifyName}=512`);
}

/** The requirements that are missing, as entries for `CannotRun`. Empty if a run is possible. */
export function missingRequirements(
  findings: readonly Finding[],
): readonly { readonly what: string; readonly remedy: string }[] {
  return findings
    .filter(({ mark }) => mark === 'missing')
    .map(({ what, says, remedy = '' }) => ({ what: `${what} ${says}`, remedy }));
}

export function ok(what: string, says: string): Finding {
  return { what, mark: 'ok', says };
}

export function note(what: string, says: string, remedy: string): Finding {
  return { what, mark: 'note', says, remedy };
}

export function missing(what: string, says: string, remedy: string): Finding {
  return { what, mark: 'missing', says, remedy };
}

const marks = { ok: ['✔', 'green'], note: ['!', 'yellow'], missing: ['✘', 'red'] } as const;

/** Formats findings as a table with marks, each remedy below its finding. */
export function formatFindings(findings: readonly Finding[], colour: Colour): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .flatMap(({ what, mark, says, remedy }) => {
      const [sign, format] = marks[mark];
      const line = `${colour(format, sign)} ${what.padEnd(width)}  ${says}`;
      return remedy === undefined ? [line] : [line, `  ${' '.repeat(width)}  ${colour('dim', `→ ${remedy}`)}`];
    })
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * Finds the requirements of the sandbox that this machine does not meet, each with its remedy, as `CannotRun` takes them. Empty if
 * a run is possible. Starts only short-lived processes and leaves nothing behind.
 */
export async function requirements(options: GatherOptions): Promise<ReturnType<typeof missingRequirements>> {
  return missingRequirements(assess(await gather(options)));
}

import { posix } from 'node:path';
import { isBelow, isNormalised } from '../csi/volume-source.ts';
import { listAt, objectAt, textAt, type UncheckedObject } from '../kubernetes/json.ts';
import type { DaemonTemplate } from './facts.ts';

/** The node's directory that a FUSE container shares, and its mount point below that. */
export interface SharedDirectory {
  /** Name of the volume in the template. */
  readonly volume: string;
  /** Mount path in the FUSE container, `/jfs`. */
  readonly mountPath: string;
  /** The mount point relative to the mount path, `jindofs-fuse`. */
  readonly mountPoint: string;
}

/** A container that starts before the pod's own, and the volumes that it needs in addition to the shared one. */
export interface Sidecar {
  readonly container: UncheckedObject & { readonly name: string };
  readonly podVolumes: readonly UncheckedObject[];
}

export interface SidecarOptions {
  readonly index: number;
  readonly template: DaemonTemplate;
  readonly shared: SharedDirectory;
  /** Name of the pod's volume that replaces the shared directory. */
  readonly volume: string;
  /** Names of the pod's volumes. */
  readonly usedNames: ReadonlySet<string>;
  /** Whether a restarted daemon must replace its dead mount. */
  readonly recover: boolean;
  /** Whether the daemon must mount read-only from the start. */
  readonly readOnly: boolean;
  /** The pod's own securityContext. A container inherits its user, as which a daemon cannot mount. */
  readonly podSecurityContext: UncheckedObject;
  /** Whether it is an init container that runs as long as the pod's own containers. */
  readonly isNative: boolean;
}

/** Environment variables that instruct the daemon. Daemons that do not know them ignore them. */
export const sidecarEnvironment = { recoverPolicy: 'FUSE_RECOVER_POLICY', readOnly: 'FUSE_MOUNT_READ_ONLY' } as const;

/** Finds the template's Bidirectional hostPath above a source mount. */
export function findSharedDirectory(
  { container, volumes }: DaemonTemplate,
  source: string,
): SharedDirectory | undefined {
  for (const mount of listAt(container, 'volumeMounts')) {
    const name = textAt(mount, 'name');
    const mountPath = textAt(mount, 'mountPath');
    if (mount.mountPropagation !== 'Bidirectional' || name === undefined || mountPath === undefined) continue;
    const volume = volumes.find((candidate) => candidate.name === name);
    const path = textAt(objectAt(volume, 'hostPath'), 'path')?.replace(/(?<=.)\/+$/, '');
    if (path === undefined || !isNormalised(path) || !isBelow(source, path)) continue;
    return { volume: name, mountPath, mountPoint: posix.relative(path, source) };
  }
  return undefined;
}

/** Copies the template's container as `fluid-fuse-<index>`, and its volumes under names that the pod does not use. */
export function createSidecar({
  index,
  template,
  shared,
  volume,
  usedNames,
  recover,
  readOnly,
  podSecurityContext,
  isNative,
}: SidecarOptions): Sidecar {
  const { container, volumes } = template;
  const mounts = listAt(container, 'volumeMounts');
  const copied = volumes.filter(({ name }) => name !== shared.volume && mounts.some((mount) => mount.name === name));
  const newNames = new Map(
    copied.map(({ name }) => [name, findFreeName(`${typeof name === 'string' ? name : ''}-${index}`, usedNames)]),
  );
  const instructions = [
    { name: sidecarEnvironment.recoverPolicy, value: recover ? 'auto' : 'none' },
    ...(readOnly ? [{ name: sidecarEnvironment.readOnly, value: 'true' }] : []),
  ];
  // The ports belong to the daemon on the node's network.
  const { ports: _ports, ...rest } = container;
  const { preStop, ...lifecycle } = { ...createHooks(shared), ...objectAt(container, 'lifecycle') };
  return {
    container: {
      ...rest,
      name: `fluid-fuse-${index}`,
      ...(isNative ? { restartPolicy: 'Always' } : {}),
      ...ownUser(container, podSecurityContext),
      env: [
        ...listAt(container, 'env').filter(({ name }) => !instructions.some((variable) => variable.name === name)),
        ...instructions,
      ],
      volumeMounts: mounts.map((mount) =>
        mount.name === shared.volume
          ? { ...mount, name: volume }
          : { ...mount, name: newNames.get(mount.name) ?? mount.name },
      ),
      // The kubelet runs the hook of a native sidecar while the application still ends; the daemon gets SIGTERM once that has ended.
      lifecycle: isNative ? lifecycle : { ...lifecycle, preStop },
    },
    podVolumes: copied.map((copy) => ({ ...copy, name: newNames.get(copy.name) })),
  };
}

/** As in the daemon's own pod, which has no user: root, unless the template's container names another. */
function ownUser(container: UncheckedObject, inherited: UncheckedObject): UncheckedObject {
  const root = { runAsUser: 0, runAsGroup: 0, runAsNonRoot: false };
  if (!Object.keys(root).some((key) => key in inherited)) return {};
  return { securityContext: { ...root, ...objectAt(container, 'securityContext') } };
}

/** Whether Pod Security forbids a sidecar at any level but `privileged` (kubernetes.io/docs/concepts/security/pod-security-standards). */
export function isPrivileged({ container, podVolumes }: Sidecar): boolean {
  const context = objectAt(container, 'securityContext');
  const added = objectAt(context, 'capabilities').add;
  return context.privileged === true || Array.isArray(added) || podVolumes.some((volume) => 'hostPath' in volume);
}

/** Adds a prefix until the name is unused, as Fluid does. */
function findFreeName(name: string, usedNames: ReadonlySet<string>): string {
  return usedNames.has(name) ? findFreeName(`fluid-${name}`, usedNames) : name;
}

const waitSeconds = 30;

/**
 * `postStart` delays the application's containers until the filesystem answers, so that they never bind an empty directory.
 * `preStop` unmounts everything when the pod is deleted. After a crash the dead mounts stay until they are replaced.
 */
function createHooks(shared: SharedDirectory): UncheckedObject {
  const mountPath = quoteForShell(shared.mountPath);
  const mountPoint = quoteForShell(posix.join(shared.mountPath, shared.mountPoint));
  const isServed = `grep -qF ' '${mountPoint}' ' /proc/self/mountinfo && stat -f ${mountPoint} >/dev/null 2>&1`;
  const wait = `i=0; until ${isServed}; do i=$((i+1)); [ $i -lt ${waitSeconds * 10} ] || exit 1; sleep 0.1; done`;
  const unmount = `case $path in ${mountPath}/*) umount -l "$path" 2>/dev/null;; esac`;
  const release = `for path in $(cut -d' ' -f5 /proc/self/mountinfo); do ${unmount}; done; true`;
  const exec = (script: string) => ({ exec: { command: ['/bin/sh', '-c', script] } });
  return { postStart: exec(wait), preStop: exec(release) };
}

/** Quotes a text as one shell word. */
function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

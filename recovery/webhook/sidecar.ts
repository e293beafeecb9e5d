import { posix } from 'node:path';
import { isBelow, isNormalised } from '../csi/volume-context.ts';
import { type JsonObject, listAt, objectAt, textAt } from '../kubernetes/json.ts';
import type { DaemonTemplate } from './facts.ts';

/** Where a FUSE container mounts: the directory of the node that it shares, and the mount point below it. */
export interface SharedDirectory {
  /** Name of the template's volume. */
  readonly volume: string;
  /** Its mount path in the FUSE container, `/jfs`. */
  readonly mountPath: string;
  /** The mount point relative to it, `jindofs-fuse`. */
  readonly below: string;
}

/** A container to put in front of the pod's own, and the volumes that it needs beside the shared one. */
export interface Sidecar {
  readonly container: JsonObject & { readonly name: string };
  readonly podVolumes: readonly JsonObject[];
}

export interface SidecarOptions {
  readonly index: number;
  readonly template: DaemonTemplate;
  readonly shared: SharedDirectory;
  /** Name of the pod's volume that is shared in its place. */
  readonly volume: string;
  /** Names of the pod's volumes. */
  readonly taken: ReadonlySet<string>;
  /** Whether the daemon is to replace its dead mount when it is started again. */
  readonly recover: boolean;
  /** Whether its mount is to be read-only from the first moment. */
  readonly readOnly: boolean;
}

/** What the daemon is told, by environment variables, which one that knows nothing of them passes over. */
export const sidecarEnvironment = { recoverPolicy: 'FUSE_RECOVER_POLICY', readOnly: 'FUSE_MOUNT_READ_ONLY' } as const;

/** The Bidirectional hostPath of the template that a source lies below; undefined where it has none. */
export function sharedDirectory({ container, volumes }: DaemonTemplate, source: string): SharedDirectory | undefined {
  for (const mount of listAt(container, 'volumeMounts')) {
    const name = textAt(mount, 'name');
    const mountPath = textAt(mount, 'mountPath');
    if (mount.mountPropagation !== 'Bidirectional' || name === undefined || mountPath === undefined) continue;
    const volume = volumes.find((each) => each.name === name);
    const path = textAt(objectAt(volume, 'hostPath'), 'path')?.replace(/(?<=.)\/+$/, '');
    if (path === undefined || !isNormalised(path) || !isBelow(source, path)) continue;
    return { volume: name, mountPath, below: posix.relative(path, source) };
  }
  return undefined;
}

/** The template's container under the name `fluid-fuse-<index>`, with volumes of names that the pod does not have yet. */
export function makeSidecar({ index, template, shared, volume, taken, recover, readOnly }: SidecarOptions): Sidecar {
  const { container, volumes } = template;
  const mounts = listAt(container, 'volumeMounts');
  const used = volumes.filter(({ name }) => name !== shared.volume && mounts.some((mount) => mount.name === name));
  const names = new Map(used.map((each) => [each.name, freeName(`${textAt(each, 'name') ?? ''}-${index}`, taken)]));
  const told = [
    { name: sidecarEnvironment.recoverPolicy, value: recover ? 'auto' : 'none' },
    ...(readOnly ? [{ name: sidecarEnvironment.readOnly, value: 'true' }] : []),
  ];
  // A port of the node's network is the node's daemon's, not this one's.
  const { ports: _ports, ...kept } = container;
  return {
    container: {
      ...kept,
      name: `fluid-fuse-${index}`,
      env: [...listAt(container, 'env').filter(({ name }) => !told.some((each) => each.name === name)), ...told],
      volumeMounts: mounts.map((mount) =>
        mount.name === shared.volume
          ? { ...mount, name: volume }
          : { ...mount, name: names.get(mount.name) ?? mount.name },
      ),
      lifecycle: { ...hooks(shared), ...objectAt(container, 'lifecycle') },
    },
    podVolumes: used.map((each) => ({ ...each, name: names.get(each.name) })),
  };
}

/** As Fluid does: a name that is taken gets a prefix. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`fluid-${name}`, taken) : name;
}

const waitSeconds = 30;

/**
 * `postStart`: the application's containers start once the filesystem answers, so that they bind it and never an empty
 * directory. `preStop`: the mounts go when the pod is deleted, and stay, dead, when the daemon crashes, to be replaced.
 */
function hooks({ mountPath, below }: SharedDirectory): JsonObject {
  const mountPoint = quoted(posix.join(mountPath, below));
  const serves = `grep -qF ' '${mountPoint}' ' /proc/self/mountinfo && stat -f ${mountPoint} >/dev/null 2>&1`;
  const wait = `i=0; until ${serves}; do i=$((i+1)); [ $i -lt ${waitSeconds * 10} ] || exit 1; sleep 0.1; done`;
  const each = `case $path in ${quoted(mountPath)}/*) umount -l "$path" 2>/dev/null;; esac`;
  const release = `for path in $(cut -d' ' -f5 /proc/self/mountinfo); do ${each}; done; true`;
  const exec = (script: string) => ({ exec: { command: ['/bin/sh', '-c', script] } });
  return { postStart: exec(wait), preStop: exec(release) };
}

/** As one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

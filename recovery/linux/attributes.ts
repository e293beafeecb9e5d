import type { AttributeChange } from './syscalls.ts';
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
  MS_STRICTATIME,
} from './syscalls.ts';

/** Options of mountinfo that forbid something, above all `ro`. */
const restrictions: ReadonlyMap<string, { readonly attribute: number; readonly flag: number }> = new Map([
  ['ro', { attribute: MOUNT_ATTR_RDONLY, flag: MS_RDONLY }],
  ['nosuid', { attribute: MOUNT_ATTR_NOSUID, flag: MS_NOSUID }],
  ['nodev', { attribute: MOUNT_ATTR_NODEV, flag: MS_NODEV }],
  ['noexec', { attribute: MOUNT_ATTR_NOEXEC, flag: MS_NOEXEC }],
  ['nosymfollow', { attribute: MOUNT_ATTR_NOSYMFOLLOW, flag: MS_NOSYMFOLLOW }],
]);

/** One of three ways of keeping access times. mountinfo shows no option for `strictatime`. */
function atime(options: readonly string[]): { readonly attribute: number; readonly flag: number } {
  if (options.includes('noatime')) return { attribute: MOUNT_ATTR_NOATIME, flag: MS_NOATIME };
  if (options.includes('relatime')) return { attribute: 0, flag: MS_RELATIME };
  return { attribute: MOUNT_ATTR_STRICTATIME, flag: MS_STRICTATIME };
}

/**
 * The change that gives a private clone the options `wanted`. It adds restrictions and never lifts one of the source's own mount.
 */
export function attributeChange(wanted: readonly string[], userNamespace?: number): AttributeChange {
  let set = atime(wanted).attribute;
  for (const [option, { attribute }] of restrictions) if (wanted.includes(option)) set |= attribute;
  let clear = MOUNT_ATTR__ATIME;
  if (wanted.includes('nodiratime')) set |= MOUNT_ATTR_NODIRATIME;
  else clear |= MOUNT_ATTR_NODIRATIME;
  return { set, clear, private: true, recursive: false, ...(userNamespace === undefined ? {} : { userNamespace }) };
}

/** The same for `mount(2)` with MS_REMOUNT | MS_BIND. It replaces all flags, so it repeats those that the clone has already. */
export function remountFlags(wanted: readonly string[], present: readonly string[]): number {
  let flags = atime(wanted).flag;
  for (const [option, { flag }] of restrictions) {
    if (wanted.includes(option) || present.includes(option)) flags |= flag;
  }
  if (wanted.includes('nodiratime')) flags |= MS_NODIRATIME;
  return flags;
}

/** The options of the replaced mount, with `ro` added if it must be read-only. */
export function wantedOptions(options: readonly string[], readOnly: boolean): readonly string[] {
  return readOnly && !options.includes('ro') ? ['ro', ...options] : options;
}

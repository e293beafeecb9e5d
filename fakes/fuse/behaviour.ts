import type { Operation } from './fuse-native.ts';

/** How the daemon differs from a good one; all of it optional, nothing of it by default. */
export interface Behaviour {
  /** On SIGTERM: unmount and end with 0 (the default), or end with 143 and leave a dead mount. */
  readonly onTerm?: 'unmount' | 'exit' | undefined;
  /** Milliseconds before each answer, for all operations or by operation. */
  readonly delayMs?: number | Readonly<Partial<Record<Operation, number>>> | undefined;
  /** These operations are never answered. */
  readonly hang?: readonly Operation[] | undefined;
  /** These operations fail with the errno named. */
  readonly errno?: Readonly<Partial<Record<Operation, string>>> | undefined;
  /** Reads give as many bytes as they should, but other ones. */
  readonly wrongBytes?: boolean | undefined;
  /** The mount is made at once; the kernel's INIT is answered so much later. */
  readonly readyAfterMs?: number | undefined;
  /** The process ends, without unmounting, at the operation after so many. */
  readonly exitAfterOps?: number | undefined;
  /** How long the kernel may keep names and attributes; 1 where not given, as in libfuse. */
  readonly entryTimeoutSeconds?: number | undefined;
  readonly attributeTimeoutSeconds?: number | undefined;
  /** Symbolic links in the root directory, by name: whom a subPath could be led astray by. */
  readonly links?: Readonly<Record<string, string>> | undefined;
  /** The superblock itself is read-only, as `-o ro` makes it. */
  readonly readOnlySuperblock?: boolean | undefined;
  /** Its mounts may be idmapped (Linux 6.12), as those of a pod with users of its own are; it takes no writes then. */
  readonly idmap?: boolean | undefined;
  /** The bucket is not looked into: the root is an empty directory. */
  readonly empty?: boolean | undefined;
  /** On SIGUSR2 it becomes this one instead. */
  readonly onUsr2?: Omit<Behaviour, 'onUsr2'> | undefined;
}

/** Milliseconds to wait before an operation is answered. */
export function delayOf({ delayMs }: Behaviour, operation: Operation): number {
  return typeof delayMs === 'number' ? delayMs : (delayMs?.[operation] ?? 0);
}

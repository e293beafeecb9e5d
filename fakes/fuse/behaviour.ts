import type { Operation } from './fuse-native.ts';

/** How the daemon misbehaves; by default it does not. */
export interface Behaviour {
  /** On SIGTERM: unmount and exit with 0 (the default), or exit with 143 and leave a dead mount. */
  readonly onTerm?: 'unmount' | 'exit' | undefined;
  /** Delay of each answer in milliseconds, for all operations or by operation. */
  readonly delayMs?: number | Readonly<Partial<Record<Operation, number>>> | undefined;
  /** These operations are never answered. */
  readonly hang?: readonly Operation[] | undefined;
  /** The errno with which operations fail. */
  readonly errno?: Readonly<Partial<Record<Operation, string>>> | undefined;
  /** Reads return the right number of wrong bytes. */
  readonly wrongBytes?: boolean | undefined;
  /** Delay between the mount and the answer to the kernel's INIT. */
  readonly readyAfterMs?: number | undefined;
  /** Number of operations after which the process exits without unmounting. */
  readonly exitAfterOps?: number | undefined;
  /** How long the kernel may cache names and attributes; 1 by default, as in libfuse. */
  readonly entryTimeoutSeconds?: number | undefined;
  readonly attributeTimeoutSeconds?: number | undefined;
  /** Symbolic links in the root directory, by name, through which a subPath could escape. */
  readonly links?: Readonly<Record<string, string>> | undefined;
  /** The superblock is read-only, as with `-o ro`. */
  readonly readOnlySuperblock?: boolean | undefined;
  /** Its mounts may be idmapped (Linux 6.12), as for pods with a user namespace; writing is not supported then. */
  readonly idmap?: boolean | undefined;
  /** Look-ups in a directory do not wait while it is listed, as with libfuse 3 and go-fuse; writing is not supported then. */
  readonly parallelListing?: boolean | undefined;
  /** The root is an empty directory, whatever is in the bucket. */
  readonly empty?: boolean | undefined;
  /** Name of a file in the root directory, listed first, that cannot be read (EIO). */
  readonly unreadable?: string | undefined;
  /** Replaces this behaviour on SIGUSR2. */
  readonly onUsr2?: Omit<Behaviour, 'onUsr2'> | undefined;
}

/** Delay of an operation's answer in milliseconds. */
export function delayFor({ delayMs }: Behaviour, operation: Operation): number {
  return typeof delayMs === 'number' ? delayMs : (delayMs?.[operation] ?? 0);
}

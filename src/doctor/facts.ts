/** What `gather` found on this machine, as plain data. A failed attempt carries its error message. */
export interface Facts {
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
  readonly namespaces: Attempt;
  /** Creation of mount and PID namespaces inside a new user namespace. */
  readonly userNamespaces: Attempt;
  /** Values of relevant sysctls by name. Those that do not exist on this machine are absent. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly koffi: Attempt;
  readonly fuseNative: Attempt;
  readonly temporary: { readonly path: string; readonly writable: Attempt; readonly freeBytes: number };
}

export type Attempt = { readonly ok: true } | { readonly ok: false; readonly says: string };

/** `/dev/fuse`. */
export type FuseDevice =
  | { readonly state: 'absent' }
  | { readonly state: 'closed'; readonly errno: string; readonly mode: string }
  | { readonly state: 'open'; readonly mode: string };

/** What `gather` found on this machine, as plain data. Where something did not work, the text says how. */
export interface Facts {
  /** `linux`, as in process.platform. */
  readonly platform: string;
  /** `x64`, as in process.arch. */
  readonly arch: string;
  /** Version of the C library; absent where it is not glibc. */
  readonly glibc?: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
  readonly nodeVersion: string;
  readonly root: boolean;
  readonly fuseDevice: FuseDevice;
  /** The program that makes the sandbox's namespaces. */
  readonly unshareProgram: boolean;
  /** New mount and PID namespaces by the rights that we have. */
  readonly namespaces: Attempt;
  /** The same inside a new user namespace. */
  readonly userNamespaces: Attempt;
  /** Sysctls that have a say in it, by name; absent ones do not exist here. */
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

import type { KernelPort, Result } from '../engine/ports.ts';

/** What CSI does to the node's mounts, beside what the engine does. Paths are of the node's mount namespace. */
export interface Publisher {
  /** Makes the target directory where it is missing and binds the source on it. */
  publish(request: { readonly source: string; readonly target: string; readonly readOnly: boolean }): Result<unknown>;
  /** Detaches every mount at the target, dead ones too; nothing mounted, or no such directory, is success. */
  unpublish(target: string): Result<unknown>;
  /** Removes the empty target directory, never what is in it; missing is success. */
  removeTarget(target: string): Result<unknown>;
}

/** The kernel as the CSI services need it. */
export type CsiKernel = Pick<KernelPort, 'hostMounts' | 'read' | 'watchMounts' | 'replaceAll'>;

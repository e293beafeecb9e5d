import { MountTree } from '../engine/mount-tree.ts';
import type { KernelPort, VolumeLocks } from '../engine/ports.ts';
import { said } from './live-source.ts';
import type { Empty, NodeUnpublishRequest } from './messages.ts';
import { busy } from './publish.ts';
import type { Publisher } from './publisher.ts';
import { type Answer, answered, refused } from './status.ts';

/**
 * Takes every layer off the target path and removes the directory (CSI NodeUnpublishVolume). Idempotent.
 * The directory is removed only after the mount table shows nothing there, and never with what is in it.
 */
export function unpublishVolume(
  {
    kernel,
    publisher,
    locks,
  }: {
    readonly kernel: Pick<KernelPort, 'hostMounts'>;
    readonly publisher: Publisher;
    readonly locks: VolumeLocks;
  },
  { volumeId, targetPath }: NodeUnpublishRequest,
): Answer<Empty> {
  using lock = locks.tryAcquire(volumeId);
  if (lock === undefined) return busy('NodeUnpublishVolume', volumeId);
  const detached = publisher.unpublish(targetPath);
  if (!detached.ok) return internal(`cannot unmount ${targetPath}: ${said(detached.failure)}`);
  const table = kernel.hostMounts();
  if (!table.ok) return internal(`cannot read the mount table: ${said(table.failure)}`);
  const left = new MountTree(table.value).at(targetPath).stack.length;
  if (left > 0) return internal(`${left} mounts are still at ${targetPath}`);
  const removed = publisher.removeTarget(targetPath);
  return removed.ok ? answered({}) : internal(`cannot remove ${targetPath}: ${said(removed.failure)}`);
}

const internal = (message: string) => refused('INTERNAL', `NodeUnpublishVolume: ${message}`);

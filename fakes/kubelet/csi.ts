import { mkdirSync } from 'node:fs';
import type { CsiClient } from '../../recovery/csi/client.ts';
import { type CsiNode, removeTarget, type VolumeRequest, writeData } from './csi-volumes.ts';
import type { PluginRegistry } from './plugin-registry.ts';

/** The kubelet's limit for one CSI call in milliseconds of its clock, and the minimum in real milliseconds. */
const timeoutOfKubeletMs = 120_000;
const minTimeoutMs = 3_000;

/**
 * Calls the node services of registered drivers as the kubelet does, which asks for their capabilities each time. A volume is
 * staged for its first pod, and unstaged after its last one has unpublished it. `restart`: nothing is known to be staged any more, as
 * for a kubelet that has started again.
 */
export function createCsiNode(
  plugins: Pick<PluginRegistry, 'driver'>,
  clockScale: number,
): CsiNode & { restart(): void } {
  const timeoutMs = Math.max(timeoutOfKubeletMs / clockScale, minTimeoutMs);
  /** Target paths by volume. */
  const users = new Map<string, Set<string>>();
  const addUser = (volumeId: string, targetPath: string): void => {
    users.set(volumeId, (users.get(volumeId) ?? new Set()).add(targetPath));
  };
  /** Volumes that are `DeviceGloballyMounted`. */
  const staged = new Set<string>();
  /** The last call for each volume that has a turn, as `nestedpendingoperations` gives one to every volume. */
  const turns = new Map<string, Promise<void>>();
  const inTurn = async (volumeId: string, call: () => Promise<void>): Promise<void> => {
    const turn = (turns.get(volumeId) ?? Promise.resolve()).then(call);
    turns.set(
      volumeId,
      turn.catch(() => {}), // Reported to the caller.
    );
    await turn;
  };
  const capability = ({ accessMode, mountFlags }: VolumeRequest) => ({
    accessMode: { mode: accessMode },
    mount: { mountFlags },
  });
  const has = async (client: CsiClient, wanted: string): Promise<boolean> => {
    const { capabilities } = await client.nodeGetCapabilities({}, { timeoutMs });
    return capabilities.some(({ rpc }) => rpc.type === wanted);
  };
  return {
    async stage(request) {
      const { driver: driverName, volumeId, stagingTargetPath, targetPath, volumeContext, secrets } = request;
      const client = plugins.driver(driverName);
      if (!(await has(client, 'STAGE_UNSTAGE_VOLUME'))) return;
      addUser(volumeId, targetPath);
      await inTurn(volumeId, async () => {
        if (staged.has(volumeId)) return;
        makeStagingPath(stagingTargetPath);
        writeData(stagingTargetPath, { driverName, volumeHandle: volumeId });
        const volumeCapability = capability(request);
        const call = { volumeId, stagingTargetPath, volumeContext, volumeCapability, ...(secrets && { secrets }) };
        await client.nodeStageVolume(call, { timeoutMs });
        staged.add(volumeId);
      });
    },
    async publish(request) {
      const { driver, volumeId, stagingTargetPath, targetPath, volumeContext, secrets, readOnly: readonly } = request;
      addUser(volumeId, targetPath);
      await plugins.driver(driver).nodePublishVolume(
        {
          volumeId,
          stagingTargetPath,
          targetPath,
          volumeContext,
          readonly,
          volumeCapability: capability(request),
          ...(secrets && { secrets }),
        },
        { timeoutMs },
      );
    },
    async unpublish({ driver, volumeId, targetPath }) {
      await plugins.driver(driver).nodeUnpublishVolume({ volumeId, targetPath }, { timeoutMs });
      users.get(volumeId)?.delete(targetPath);
    },
    async unstage({ driver, volumeId, stagingTargetPath }) {
      const client = plugins.driver(driver);
      if (!(await has(client, 'STAGE_UNSTAGE_VOLUME'))) return;
      await inTurn(volumeId, async () => {
        if ((users.get(volumeId)?.size ?? 0) > 0) return;
        await client.nodeUnstageVolume({ volumeId, stagingTargetPath }, { timeoutMs });
        staged.delete(volumeId);
        removeTarget(stagingTargetPath);
      });
    },
    async readStats({ driver, volumeId, targetPath: volumePath }) {
      const client = plugins.driver(driver);
      if (!(await has(client, 'GET_VOLUME_STATS'))) return false;
      await client.nodeGetVolumeStats({ volumeId, volumePath }, { timeoutMs });
      return true;
    },
    restart: () => staged.clear(),
  };
}

/** A dead mount there is left to the driver (`isCorruptedDir`). */
function makeStagingPath(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTCONN') throw error;
  }
}

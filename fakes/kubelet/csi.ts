import { mkdirSync } from 'node:fs';
import type { CsiClient } from '../../recovery/csi/client.ts';
import { type CsiNode, removeTarget, type VolumeRequest, writeData } from './csi-volumes.ts';
import type { PluginRegistry } from './plugin-registry.ts';

/** The kubelet's limit for one CSI call in milliseconds of its clock, and the minimum in real milliseconds. */
const timeoutOfKubeletMs = 120_000;
const minTimeoutMs = 3_000;

/**
 * Calls the node services of registered drivers as the kubelet does, which asks for their capabilities each time. A volume is
 * unstaged after its last pod has unpublished it.
 */
export function createCsiNode(plugins: PluginRegistry, clockScale: number): CsiNode {
  const timeoutMs = Math.max(timeoutOfKubeletMs / clockScale, minTimeoutMs);
  const published = new Map<string, Set<string>>();
  const capability = ({ accessMode }: VolumeRequest) => ({ accessMode: { mode: accessMode }, mount: {} });
  const has = async (client: CsiClient, wanted: string): Promise<boolean> => {
    const { capabilities } = await client.nodeGetCapabilities({}, { timeoutMs });
    return capabilities.some(({ rpc }) => rpc.type === wanted);
  };
  return {
    async stage(request) {
      const { driver: driverName, volumeId, stagingTargetPath, volumeContext } = request;
      const client = plugins.driver(driverName);
      if (!(await has(client, 'STAGE_UNSTAGE_VOLUME'))) return;
      mkdirSync(stagingTargetPath, { recursive: true, mode: 0o750 });
      writeData(stagingTargetPath, { driverName, volumeHandle: volumeId });
      const volumeCapability = capability(request);
      await client.nodeStageVolume({ volumeId, stagingTargetPath, volumeContext, volumeCapability }, { timeoutMs });
    },
    async publish(request) {
      const { driver, volumeId, stagingTargetPath, targetPath, volumeContext, secrets, readOnly: readonly } = request;
      published.set(volumeId, (published.get(volumeId) ?? new Set()).add(targetPath));
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
      published.get(volumeId)?.delete(targetPath);
    },
    async unstage({ driver, volumeId, stagingTargetPath }) {
      if ((published.get(volumeId)?.size ?? 0) > 0) return;
      const client = plugins.driver(driver);
      if (!(await has(client, 'STAGE_UNSTAGE_VOLUME'))) return;
      await client.nodeUnstageVolume({ volumeId, stagingTargetPath }, { timeoutMs });
      removeTarget(stagingTargetPath);
    },
    async readStats({ driver, volumeId, targetPath: volumePath }) {
      const client = plugins.driver(driver);
      if (!(await has(client, 'GET_VOLUME_STATS'))) return false;
      await client.nodeGetVolumeStats({ volumeId, volumePath }, { timeoutMs });
      return true;
    },
  };
}

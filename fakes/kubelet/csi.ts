import { mkdirSync } from 'node:fs';
import { createCsiClient } from '../../recovery/csi/client.ts';
import { type CsiNode, removeTarget, type VolumeRequest, writeData } from './csi-volumes.ts';

/** The kubelet's limit for one CSI call in milliseconds of its clock, and the minimum in real milliseconds. */
const timeoutOfKubeletMs = 120_000;
const minTimeoutMs = 3_000;

const notRegistered = async (): Promise<never> => {
  throw new Error('driver name fuse.csi.fluid.io not found in the list of registered CSI drivers');
};

/** A node without a CSI driver, such as a virtual node. */
export const noCsiDriver: CsiNode = {
  stage: notRegistered,
  publish: notRegistered,
  unpublish: notRegistered,
  unstage: notRegistered,
};

/** Calls a driver's node service as the kubelet does. A volume is unstaged after its last pod has unpublished it. */
export function createCsiNode(socket: string, clockScale: number): CsiNode & Disposable {
  const timeoutMs = Math.max(timeoutOfKubeletMs / clockScale, minTimeoutMs);
  const client = createCsiClient(`unix://${socket}`);
  const published = new Map<string, Set<string>>();
  const capability = ({ accessMode }: VolumeRequest) => ({ accessMode: { mode: accessMode }, mount: {} });
  return {
    async stage(request) {
      const { driver: driverName, volumeId, stagingTargetPath, volumeContext } = request;
      mkdirSync(stagingTargetPath, { recursive: true, mode: 0o750 });
      writeData(stagingTargetPath, { driverName, volumeHandle: volumeId });
      const volumeCapability = capability(request);
      await client.nodeStageVolume({ volumeId, stagingTargetPath, volumeContext, volumeCapability }, { timeoutMs });
    },
    async publish(request) {
      const { volumeId, stagingTargetPath, targetPath, volumeContext, readOnly: readonly } = request;
      published.set(volumeId, (published.get(volumeId) ?? new Set()).add(targetPath));
      await client.nodePublishVolume(
        { volumeId, stagingTargetPath, targetPath, volumeContext, readonly, volumeCapability: capability(request) },
        { timeoutMs },
      );
    },
    async unpublish(request) {
      await client.nodeUnpublishVolume(request, { timeoutMs });
      published.get(request.volumeId)?.delete(request.targetPath);
    },
    async unstage(request) {
      if ((published.get(request.volumeId)?.size ?? 0) > 0) return;
      await client.nodeUnstageVolume(request, { timeoutMs });
      removeTarget(request.stagingTargetPath);
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort, VolumeLocks } from '../engine/ports.ts';
import type { Kernel } from '../linux/kernel.ts';
import type { Publisher } from '../linux/publish.ts';
import { checkRequired, checkStageRequest, checkTarget, parsePublishRequest, type Roots } from './arguments.ts';
import type {
  Empty,
  NodeCapabilitiesResponse,
  NodeInfoResponse,
  NodePublishRequest,
  NodeStageRequest,
  NodeStatsRequest,
  NodeStatsResponse,
  NodeUnpublishRequest,
  NodeUnstageRequest,
} from './messages.ts';
import { type CsiKernel, type PublishParts, publishVolume, unpublishVolume } from './publish.ts';
import { type UnprovenSites, volumeStats } from './stats.ts';
import { type CsiResult, succeeded } from './status.ts';
import { isBelow } from './volume-source.ts';

/** Lets the FUSE daemon of a volume run on this node, or not any more. */
export interface DaemonPlacement {
  /** For CSI NodeStageVolume. */
  request(volume: Pick<NodeStageRequest, 'volumeId' | 'volumeContext'>, signal: AbortSignal): Promise<CsiResult<Empty>>;
  /** For CSI NodeUnstageVolume. Does nothing unless the dataset's runtime has the clean policy `OnDemand`. */
  withdraw(volumeId: string, signal: AbortSignal): Promise<CsiResult<Empty>>;
}

/** The context of a CSI call. */
export interface CsiCall {
  /** The caller's deadline. */
  readonly deadline?: Nanoseconds;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
}

/** The CSI Node service. */
export interface NodeService {
  nodeGetInfo(request: Empty): Promise<CsiResult<NodeInfoResponse>>;
  nodeGetCapabilities(request: Empty): Promise<CsiResult<NodeCapabilitiesResponse>>;
  nodeStageVolume(request: NodeStageRequest, call: CsiCall): Promise<CsiResult<Empty>>;
  nodeUnstageVolume(request: NodeUnstageRequest, call: CsiCall): Promise<CsiResult<Empty>>;
  nodePublishVolume(request: NodePublishRequest, call: CsiCall): Promise<CsiResult<Empty>>;
  nodeUnpublishVolume(request: NodeUnpublishRequest, call: CsiCall): Promise<CsiResult<Empty>>;
  nodeGetVolumeStats(request: NodeStatsRequest): Promise<CsiResult<NodeStatsResponse>>;
}

export interface NodeServiceOptions extends Roots {
  readonly nodeId: string;
  readonly kernel: CsiKernel & Pick<Kernel, 'kubeletDirectory'>;
  readonly publisher: Publisher;
  readonly locks: VolumeLocks;
  readonly placement: DaemonPlacement;
  readonly unproven: UnprovenSites;
  readonly clock: ClockPort;
  /** Feature gate `FuseStandby`. */
  readonly standby: boolean;
  readonly onReplaced: PublishParts['onReplaced'];
}

const capabilities = ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS', 'VOLUME_CONDITION'] as const;

/** How long a publish waits for a source if the caller sets no deadline. */
const defaultTimeout = 30_000_000_000n;
/** How long before its deadline the caller gets a response, so that it learns the reason and not just of a timeout. */
const responseMargin = 300_000_000n;

/** Nothing is mounted at the staging path: the daemon mounts the volume itself. Stage and Unstage let it run on this node. */
export function createNodeService(options: NodeServiceOptions): NodeService {
  const { nodeId, kernel, clock, placement } = options;
  /** The kubelet may spell its directory with symbolic links, which no mount table shows. */
  const withoutLinks = (path: string, directory: string) =>
    isBelow(path, options.kubeletRoot) ? `${directory}${path.slice(options.kubeletRoot.length)}` : path;
  return {
    nodeGetInfo: async () => succeeded({ nodeId }),
    nodeGetCapabilities: async () => succeeded({ capabilities: capabilities.map((type) => ({ rpc: { type } })) }),
    nodeStageVolume: async (request, { signal }) => checkStageRequest(request) ?? placement.request(request, signal),
    async nodeUnstageVolume({ volumeId, stagingTargetPath }, { signal }) {
      const rejection = checkRequired('NodeUnstageVolume', {
        volume_id: volumeId,
        staging_target_path: stagingTargetPath,
      });
      return rejection ?? placement.withdraw(volumeId, signal);
    },
    async nodePublishVolume(request, call) {
      const kubeletRoot = kernel.kubeletDirectory();
      const targetPath = withoutLinks(request.targetPath, kubeletRoot);
      const parsed = parsePublishRequest({ ...request, targetPath }, { ...options, kubeletRoot });
      if (!parsed.ok) return parsed;
      return publishVolume(options, parsed.value, { until: publishDeadline(call, clock), signal: call.signal });
    },
    async nodeUnpublishVolume(request, call) {
      const { volumeId } = request;
      const kubeletRoot = kernel.kubeletDirectory();
      const targetPath = withoutLinks(request.targetPath, kubeletRoot);
      const rejection =
        checkRequired('NodeUnpublishVolume', { volume_id: volumeId, target_path: targetPath }) ??
        checkTarget('NodeUnpublishVolume', 'target_path', targetPath, kubeletRoot);
      const limits = { until: publishDeadline(call, clock), signal: call.signal };
      return rejection ?? unpublishVolume(options, { ...request, targetPath }, limits);
    },
    async nodeGetVolumeStats(request) {
      const { volumeId } = request;
      const volumePath = withoutLinks(request.volumePath, kernel.kubeletDirectory());
      const rejection = checkRequired('NodeGetVolumeStats', { volume_id: volumeId, volume_path: volumePath });
      return rejection ?? volumeStats(options, { ...request, volumePath });
    },
  };
}

function publishDeadline({ deadline }: CsiCall, clock: ClockPort): Nanoseconds {
  const now = clock.now();
  if (deadline === undefined) return (now + defaultTimeout) as Nanoseconds;
  const remaining = deadline - now;
  return (deadline - (remaining / 5n < responseMargin ? remaining / 5n : responseMargin)) as Nanoseconds;
}

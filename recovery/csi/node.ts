import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort, VolumeLocks } from '../engine/ports.ts';
import { badStage, badTarget, missing, publishArguments, type Roots } from './arguments.ts';
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
import { publishVolume } from './publish.ts';
import type { CsiKernel, Publisher } from './publisher.ts';
import { type UsageReader, volumeStats } from './stats.ts';
import { type Answer, answered } from './status.ts';
import { unpublishVolume } from './unpublish.ts';

/** What a handler knows of the call beside its request. */
export interface CsiCall {
  /** The caller's deadline. */
  readonly deadline?: Nanoseconds;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
}

/** The CSI Node service. */
export interface NodeService {
  nodeGetInfo(request: Empty): Promise<Answer<NodeInfoResponse>>;
  nodeGetCapabilities(request: Empty): Promise<Answer<NodeCapabilitiesResponse>>;
  nodeStageVolume(request: NodeStageRequest): Promise<Answer<Empty>>;
  nodeUnstageVolume(request: NodeUnstageRequest): Promise<Answer<Empty>>;
  nodePublishVolume(request: NodePublishRequest, call: CsiCall): Promise<Answer<Empty>>;
  nodeUnpublishVolume(request: NodeUnpublishRequest): Promise<Answer<Empty>>;
  nodeGetVolumeStats(request: NodeStatsRequest): Promise<Answer<NodeStatsResponse>>;
}

export interface NodeServiceOptions extends Roots {
  readonly nodeId: string;
  readonly kernel: CsiKernel;
  readonly publisher: Publisher;
  readonly usage: UsageReader;
  readonly locks: VolumeLocks;
  readonly clock: ClockPort;
}

const capabilities = ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS', 'VOLUME_CONDITION'] as const;

/** How long a publish waits for a source where the caller sets no deadline. */
const patience = 30_000_000_000n;
/** How long before the caller's deadline it is answered, so that it hears why and not only that time is up. */
const margin = 300_000_000n;

/** Stage and Unstage keep nothing: the daemon mounts the volume itself, and Fluid decides where daemons run. */
export function createNodeService(options: NodeServiceOptions): NodeService {
  const { nodeId, kubeletRoot, clock } = options;
  return {
    nodeGetInfo: async () => answered({ nodeId }),
    nodeGetCapabilities: async () => answered({ capabilities: capabilities.map((type) => ({ rpc: { type } })) }),
    nodeStageVolume: async (request) => badStage(request) ?? answered({}),
    async nodeUnstageVolume({ volumeId, stagingTargetPath }) {
      const bad = missing('NodeUnstageVolume', { volume_id: volumeId, staging_target_path: stagingTargetPath });
      return bad ?? answered({});
    },
    async nodePublishVolume(request, call) {
      const asked = publishArguments(request, options);
      if (!asked.ok) return asked;
      return publishVolume(options, asked.value, { until: giveUpAt(call, clock), signal: call.signal });
    },
    async nodeUnpublishVolume(request) {
      const { volumeId, targetPath } = request;
      const bad =
        missing('NodeUnpublishVolume', { volume_id: volumeId, target_path: targetPath }) ??
        badTarget('NodeUnpublishVolume', 'target_path', targetPath, kubeletRoot);
      return bad ?? unpublishVolume(options, request);
    },
    async nodeGetVolumeStats(request) {
      const { volumeId, volumePath } = request;
      const bad = missing('NodeGetVolumeStats', { volume_id: volumeId, volume_path: volumePath });
      return bad ?? volumeStats(options, request);
    },
  };
}

function giveUpAt({ deadline }: CsiCall, clock: ClockPort): Nanoseconds {
  const now = clock.now();
  if (deadline === undefined) return (now + patience) as Nanoseconds;
  const left = deadline - now;
  return (deadline - (left / 5n < margin ? left / 5n : margin)) as Nanoseconds;
}

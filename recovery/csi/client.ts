import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type {
  CreateVolumeRequest,
  CreateVolumeResponse,
  DeleteVolumeRequest,
  Empty,
  NodeCapabilitiesResponse,
  NodeInfoResponse,
  NodePublishRequest,
  NodeStageRequest,
  NodeStatsRequest,
  NodeStatsResponse,
  NodeUnpublishRequest,
  NodeUnstageRequest,
  PluginCapabilitiesResponse,
  PluginInfoResponse,
  ProbeResponse,
} from './messages.ts';
import { csiServices, type ServiceName } from './services.ts';
import { type StatusName, statusName } from './status.ts';

/** The driver, or the way to it, refused a call. */
export class CsiCallError extends Error {
  readonly code = 'CSI_CALL';
  /** As `NodePublishVolume`. */
  readonly call: string;
  readonly status: StatusName;
  /** The driver's sentence. */
  readonly details: string;
  constructor(call: string, { code, details }: ServiceError) {
    super(`${call}: ${statusName(code)}: ${details}`);
    this.call = call;
    this.status = statusName(code);
    this.details = details;
  }
}

export interface CallOptions {
  /** From now; the kubelet's own is two minutes. None by default. */
  readonly timeoutMs?: number;
  /** Hangs up. */
  readonly signal?: AbortSignal;
}

type Call<Request, Response> = (request: Request, options?: CallOptions) => Promise<Response>;

/** A driver behind its unix socket, called as the kubelet does. Calls reject with `CsiCallError`. */
export interface CsiClient extends Disposable {
  readonly getPluginInfo: Call<Empty, PluginInfoResponse>;
  readonly getPluginCapabilities: Call<Empty, PluginCapabilitiesResponse>;
  readonly probe: Call<Empty, ProbeResponse>;
  readonly nodeGetInfo: Call<Empty, NodeInfoResponse>;
  readonly nodeGetCapabilities: Call<Empty, NodeCapabilitiesResponse>;
  readonly nodeStageVolume: Call<Partial<NodeStageRequest>, Empty>;
  readonly nodeUnstageVolume: Call<Partial<NodeUnstageRequest>, Empty>;
  readonly nodePublishVolume: Call<Partial<NodePublishRequest>, Empty>;
  readonly nodeUnpublishVolume: Call<Partial<NodeUnpublishRequest>, Empty>;
  readonly nodeGetVolumeStats: Call<Partial<NodeStatsRequest>, NodeStatsResponse>;
  readonly createVolume: Call<Partial<CreateVolumeRequest>, CreateVolumeResponse>;
  readonly deleteVolume: Call<Partial<DeleteVolumeRequest>, Empty>;
}

/** Opens a client; the connection is made at the first call, and again after the driver was restarted. */
export function createCsiClient(endpoint: string): CsiClient {
  const services = csiServices();
  const client = new Client(endpoint, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 200,
  });
  const method = <Request, Response>(service: ServiceName, call: string): Call<Request, Response> => {
    const definition = services[service][call];
    if (definition === undefined) throw new Error(`csi.proto has no ${service}.${call}`);
    return (request, { timeoutMs, signal } = {}) => {
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      const sent = client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, response?: Response) => {
          if (error !== null) reject(new CsiCallError(call, error));
          else resolve(response as Response);
        },
      );
      signal?.addEventListener('abort', () => sent.cancel(), { once: true });
      if (signal?.aborted) sent.cancel();
      return promise;
    };
  };
  return {
    getPluginInfo: method('Identity', 'GetPluginInfo'),
    getPluginCapabilities: method('Identity', 'GetPluginCapabilities'),
    probe: method('Identity', 'Probe'),
    nodeGetInfo: method('Node', 'NodeGetInfo'),
    nodeGetCapabilities: method('Node', 'NodeGetCapabilities'),
    nodeStageVolume: method('Node', 'NodeStageVolume'),
    nodeUnstageVolume: method('Node', 'NodeUnstageVolume'),
    nodePublishVolume: method('Node', 'NodePublishVolume'),
    nodeUnpublishVolume: method('Node', 'NodeUnpublishVolume'),
    nodeGetVolumeStats: method('Node', 'NodeGetVolumeStats'),
    createVolume: method('Controller', 'CreateVolume'),
    deleteVolume: method('Controller', 'DeleteVolume'),
    [Symbol.dispose]() {
      client.close();
    },
  };
}

import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { loadCsiServices, type ServiceName } from './definitions.ts';
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
import type { StatusName } from './status.ts';

/** A call failed in the driver or could not be delivered. */
export class CsiCallError extends Error {
  readonly code = 'CSI_CALL';
  /** Method name, such as `NodePublishVolume`. */
  readonly call: string;
  readonly status: StatusName;
  /** The driver's message. */
  readonly details: string;
  constructor(call: string, { code, details }: ServiceError) {
    super(`${call}: ${status[code]}: ${details}`);
    this.call = call;
    this.status = status[code] as StatusName;
    this.details = details;
  }
}

export interface CallOptions {
  /** No timeout by default. The kubelet's is two minutes. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

type Call<Request, Response> = (request: Request, options?: CallOptions) => Promise<Response>;

/** Calls a driver through its unix socket, as the kubelet does. Calls reject with `CsiCallError`. */
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

/** Creates a client. It connects at the first call and reconnects after a restart of the driver. */
export function createCsiClient(endpoint: string): CsiClient {
  const services = loadCsiServices();
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

/**
 * The CSI messages that this driver uses, in camel case and with enum values by name. Fields that it ignores (secrets, publish
 * context) are omitted, so that they cannot reach a log. Source: csi.proto.
 */

export type AccessModeName =
  | 'UNKNOWN'
  | 'SINGLE_NODE_WRITER'
  | 'SINGLE_NODE_READER_ONLY'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_SINGLE_WRITER'
  | 'MULTI_NODE_MULTI_WRITER'
  | 'SINGLE_NODE_SINGLE_WRITER'
  | 'SINGLE_NODE_MULTI_WRITER';

export interface VolumeCapability {
  readonly accessMode?: { readonly mode: AccessModeName } | null;
  readonly mount?: { readonly fsType?: string; readonly mountFlags?: readonly string[] } | null;
  readonly block?: Readonly<Record<string, never>> | null;
}

export interface NodeStageRequest {
  readonly volumeId: string;
  readonly stagingTargetPath: string;
  readonly volumeCapability?: VolumeCapability | null;
  readonly volumeContext: Readonly<Record<string, string>>;
  /** What the volume's `nodeStageSecretRef` names; this driver has no use for it. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface NodeUnstageRequest {
  readonly volumeId: string;
  readonly stagingTargetPath: string;
}

export interface NodePublishRequest {
  readonly volumeId: string;
  readonly stagingTargetPath: string;
  readonly targetPath: string;
  readonly volumeCapability?: VolumeCapability | null;
  readonly readonly: boolean;
  /** The PersistentVolume's `volumeAttributes`, and the pod's identity as `csi.storage.k8s.io/pod.*`. */
  readonly volumeContext: Readonly<Record<string, string>>;
  /** What the volume's `nodePublishSecretRef` names; this driver has no use for it. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface NodeUnpublishRequest {
  readonly volumeId: string;
  readonly targetPath: string;
}

export interface NodeStatsRequest {
  readonly volumeId: string;
  readonly volumePath: string;
}

export interface VolumeUsage {
  readonly unit: 'BYTES' | 'INODES';
  readonly total: number;
  readonly available: number;
  readonly used: number;
}

export interface NodeStatsResponse {
  readonly usage: readonly VolumeUsage[];
  readonly volumeCondition?: { readonly abnormal: boolean; readonly message: string } | null;
}

export interface NodeInfoResponse {
  readonly nodeId: string;
}

export interface NodeCapabilitiesResponse {
  readonly capabilities: readonly { readonly rpc: { readonly type: string } }[];
}

export interface PluginInfoResponse {
  readonly name: string;
  readonly vendorVersion: string;
}

export interface PluginCapabilitiesResponse {
  readonly capabilities: readonly { readonly service: { readonly type: string } }[];
}

export interface ProbeResponse {
  readonly ready: { readonly value: boolean };
}

export interface CreateVolumeRequest {
  readonly name: string;
  readonly volumeCapabilities: readonly VolumeCapability[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly capacityRange?: { readonly requiredBytes: number } | null;
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface CreateVolumeResponse {
  readonly volume: {
    readonly volumeId: string;
    readonly capacityBytes: number;
    readonly volumeContext: Readonly<Record<string, string>>;
  };
}

export interface DeleteVolumeRequest {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly volumeId: string;
}

export type Empty = Readonly<Record<string, never>>;

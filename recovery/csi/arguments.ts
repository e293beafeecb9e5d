import type { AccessModeName, NodePublishRequest, NodeStageRequest, VolumeCapability } from './messages.ts';
import { type CsiRejection, type CsiResult, rejected, succeeded } from './status.ts';
import { isBelow, isNormalised, parseVolumeSource, type VolumeSource } from './volume-source.ts';

/** The validated arguments of a publish. */
export interface PublishArguments {
  readonly volumeId: string;
  readonly source: VolumeSource;
  readonly target: string;
  readonly readOnly: boolean;
  /** Whether no pod may write to the volume, on any node. */
  readonly isReadOnlyVolume: boolean;
}

export interface Roots {
  /** Directory below which all daemons mount, `MOUNT_ROOT`. */
  readonly mountRoot: string;
  /** The kubelet's directory, which contains all target paths, `KUBELET_ROOTDIR`. */
  readonly kubeletRoot: string;
}

const readOnlyModes: ReadonlySet<AccessModeName> = new Set(['MULTI_NODE_READER_ONLY', 'SINGLE_NODE_READER_ONLY']);

/** Rejects a request with an empty required field with INVALID_ARGUMENT, as the specification requires. */
export function checkRequired(call: string, fields: Readonly<Record<string, string>>): CsiRejection | undefined {
  const name = Object.keys(fields).find((field) => fields[field] === '');
  return name === undefined ? undefined : rejected('INVALID_ARGUMENT', `${call}: ${name} is not set`);
}

/** Rejects a path that may not be unmounted or removed: it must be normalised and lie below the kubelet's directory. */
export function checkTarget(call: string, field: string, path: string, kubeletRoot: string): CsiRejection | undefined {
  if (isNormalised(path) && isBelow(path, kubeletRoot)) return undefined;
  return rejected('INVALID_ARGUMENT', `${call}: ${field} "${path}" is not a normalised path below ${kubeletRoot}`);
}

function checkCapability(call: string, capability: VolumeCapability | null | undefined): CsiRejection | undefined {
  if (capability == null) return rejected('INVALID_ARGUMENT', `${call}: volume_capability is not set`);
  if (capability.block != null) {
    return rejected('FAILED_PRECONDITION', `${call}: this driver does not support block volumes`);
  }
  if ((capability.accessMode?.mode ?? 'UNKNOWN') === 'UNKNOWN') {
    return rejected('INVALID_ARGUMENT', `${call}: volume_capability.access_mode is not set`);
  }
  return undefined;
}

export function checkStageRequest(request: NodeStageRequest): CsiRejection | undefined {
  return (
    checkRequired('NodeStageVolume', { volume_id: request.volumeId, staging_target_path: request.stagingTargetPath }) ??
    checkCapability('NodeStageVolume', request.volumeCapability)
  );
}

/** Validates a NodePublishVolume request in the order of the specification. */
export function parsePublishRequest(
  request: NodePublishRequest,
  { mountRoot, kubeletRoot }: Roots,
): CsiResult<PublishArguments> {
  const call = 'NodePublishVolume';
  const rejection =
    checkRequired(call, { volume_id: request.volumeId, target_path: request.targetPath }) ??
    checkCapability(call, request.volumeCapability);
  if (rejection !== undefined) return rejection;
  if (request.stagingTargetPath === '') {
    return rejected('FAILED_PRECONDITION', `${call}: staging_target_path is not set: call NodeStageVolume first`);
  }
  const targetRejection = checkTarget(call, 'target_path', request.targetPath, kubeletRoot);
  if (targetRejection !== undefined) return targetRejection;
  const source = parseVolumeSource(request.volumeContext, mountRoot);
  if (!source.ok) return rejected(source.code, `${call}: ${source.message}`);
  const isReadOnlyVolume = readOnlyModes.has(request.volumeCapability?.accessMode?.mode ?? 'UNKNOWN');
  return succeeded({
    volumeId: request.volumeId,
    source: source.value,
    target: request.targetPath,
    readOnly: request.readonly || isReadOnlyVolume,
    isReadOnlyVolume,
  });
}

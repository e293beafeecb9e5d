import type { AccessModeName, NodePublishRequest, NodeStageRequest, VolumeCapability } from './messages.ts';
import { type Answer, answered, type Refusal, refused } from './status.ts';
import { isBelow, isNormalised, type VolumeSource, volumeSource } from './volume-context.ts';

/** What a publish asks for, once its arguments hold. */
export interface PublishArguments {
  readonly volumeId: string;
  readonly source: VolumeSource;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface Roots {
  /** Directory below which daemons mount, `MOUNT_ROOT`. */
  readonly mountRoot: string;
  /** The kubelet's directory, below which target paths are, `KUBELET_ROOTDIR`. */
  readonly kubeletRoot: string;
}

const readOnlyModes: ReadonlySet<AccessModeName> = new Set(['MULTI_NODE_READER_ONLY', 'SINGLE_NODE_READER_ONLY']);

/** The first required field of a request that is empty, as the specification's INVALID_ARGUMENT. */
export function missing(call: string, fields: Readonly<Record<string, string>>): Refusal | undefined {
  const name = Object.keys(fields).find((field) => fields[field] === '');
  return name === undefined ? undefined : refused('INVALID_ARGUMENT', `${call}: ${name} is not set`);
}

/** Whether a path may be unmounted and removed for the kubelet: absolute, normalised and below the kubelet's directory. */
export function badTarget(call: string, field: string, path: string, kubeletRoot: string): Refusal | undefined {
  if (isNormalised(path) && isBelow(path, kubeletRoot)) return undefined;
  return refused('INVALID_ARGUMENT', `${call}: ${field} "${path}" is not a normalised path below ${kubeletRoot}`);
}

function badCapability(call: string, capability: VolumeCapability | null | undefined): Refusal | undefined {
  if (capability == null) return refused('INVALID_ARGUMENT', `${call}: volume_capability is not set`);
  if (capability.block != null) {
    return refused(
      'FAILED_PRECONDITION',
      `${call}: a block volume is asked for, but this driver serves filesystems only`,
    );
  }
  if ((capability.accessMode?.mode ?? 'UNKNOWN') === 'UNKNOWN') {
    return refused('INVALID_ARGUMENT', `${call}: volume_capability.access_mode is not set`);
  }
  return undefined;
}

/** Checks a NodeStageVolume request (CSI NodeStageVolume). */
export function badStage(request: NodeStageRequest): Refusal | undefined {
  return (
    missing('NodeStageVolume', { volume_id: request.volumeId, staging_target_path: request.stagingTargetPath }) ??
    badCapability('NodeStageVolume', request.volumeCapability)
  );
}

/** Checks a NodePublishVolume request in the order of the specification, and takes what matters out of it. */
export function publishArguments(
  request: NodePublishRequest,
  { mountRoot, kubeletRoot }: Roots,
): Answer<PublishArguments> {
  const call = 'NodePublishVolume';
  const bad =
    missing(call, { volume_id: request.volumeId, target_path: request.targetPath }) ??
    badCapability(call, request.volumeCapability);
  if (bad !== undefined) return bad;
  if (request.stagingTargetPath === '') {
    return refused('FAILED_PRECONDITION', `${call}: staging_target_path is not set: call NodeStageVolume first`);
  }
  const badPath = badTarget(call, 'target_path', request.targetPath, kubeletRoot);
  if (badPath !== undefined) return badPath;
  const source = volumeSource(request.volumeContext, mountRoot);
  if (!source.ok) return refused(source.code, `${call}: ${source.message}`);
  return answered({
    volumeId: request.volumeId,
    source: source.value,
    target: request.targetPath,
    readOnly: request.readonly || readOnlyModes.has(request.volumeCapability?.accessMode?.mode ?? 'UNKNOWN'),
  });
}

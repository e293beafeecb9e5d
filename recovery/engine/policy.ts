import { type NodeObservation, observedSources } from './diagnose.ts';
import type { Diagnosis, Pod, Policy, SkipReason, Volume } from './model.ts';

/** The label that requests recovery inside a pod; its value must be `true`. */
export const recoveryLabel = 'fuse.serverful.fluid.io/inject';

export interface PolicyRefusal {
  readonly reason: SkipReason;
  /** One sentence: what was refused, and what the user can do about it. */
  readonly detail: string;
}

/**
 * Why a site must not be touched, or undefined. Lasting reasons (gate, access modes, label) take precedence over passing ones (the
 * daemon is down), so that nobody waits for a recovery that will not come.
 */
export function refusal(observation: NodeObservation, diagnosis: Diagnosis, policy: Policy): PolicyRefusal | undefined {
  return (
    gate(diagnosis, policy) ??
    readWrite(observation, diagnosis, policy) ??
    pod(observation, diagnosis, policy) ??
    subPath(diagnosis, policy) ??
    nested(diagnosis) ??
    source(observation, diagnosis)
  );
}

/** A volume is read-only if ReadOnlyMany is its only access mode. One without any access mode is unknown and so not read-only. */
export function isReadOnly({ accessModes }: Pick<Volume, 'accessModes'>): boolean {
  return accessModes.length > 0 && accessModes.every((mode) => mode === 'ReadOnlyMany');
}

/** Whether a pod requests that its running containers are entered. */
export function isLabelled({ labels }: Pick<Pod, 'labels'>): boolean {
  return labels[recoveryLabel] === 'true';
}

function gate({ site }: Diagnosis, { enabled }: Policy): PolicyRefusal | undefined {
  if (enabled) return undefined;
  const detail = `${site.path} is not recovered because the feature gate is off: start the node plugin with --feature-gates=FuseRecovery=true`;
  return { reason: 'gate-off', detail };
}

function readWrite(
  { snapshot }: NodeObservation,
  { volume }: Diagnosis,
  { readWriteScope }: Policy,
): PolicyRefusal | undefined {
  switch (readWriteScope) {
    case 'recover':
      return undefined;
    case 'volume': {
      if (isReadOnly(volume)) return undefined;
      const detail = `volume ${volume.name} is not read-only (${modes(volume)}): give its Dataset the access mode ReadOnlyMany only, or restart the pod once the daemon is back`;
      return { reason: 'read-write', detail };
    }
    case 'cluster': {
      const culprit = snapshot.volumes.find((each) => !isReadOnly(each));
      const [unread] = snapshot.unreadVolumes;
      if (culprit === undefined && unread !== undefined) {
        const detail = `nothing is recovered before the access modes of volume ${unread} have been read: see that the API server answers, or set --read-write-scope=volume`;
        return { reason: 'read-write', detail };
      }
      if (culprit === undefined) return undefined;
      const detail = `nothing is recovered while volume ${culprit.name} is not read-only (${modes(culprit)}): give its Dataset the access mode ReadOnlyMany only, or set --read-write-scope=volume`;
      return { reason: 'read-write', detail };
    }
  }
}

const modes = ({ accessModes }: Volume) => (accessModes.length === 0 ? 'no access mode' : accessModes.join(', '));

function pod({ snapshot }: NodeObservation, { site, volume }: Diagnosis, policy: Policy): PolicyRefusal | undefined {
  const found = snapshot.pod(site.podUid);
  const name = found === undefined ? site.podUid : `${found.namespace}/${found.name}`;
  if (site.kind === 'target') {
    // No container will start from it again, and unpublishing must not be disturbed. Containers that still run may need their data to end.
    if (!found?.deleting) return undefined;
    const detail = `pod ${name} is being deleted, so volume ${volume.name} is about to be unpublished`;
    return { reason: 'pod-deleting', detail };
  }
  if (policy.pods === 'label' && (found === undefined || !isLabelled(found))) {
    const detail = `container ${site.container} of pod ${name} is not entered: create the pod with the label ${recoveryLabel}="true", or restart its containers`;
    return { reason: 'not-labelled', detail };
  }
  const runtime = found?.runtimeClass;
  if (runtime !== undefined && policy.unsupportedRuntimes.includes(runtime)) {
    const detail = `pod ${name} runs as RuntimeClass ${runtime}, whose guest keeps descriptors of its own: restart the pod`;
    return { reason: 'unsupported-runtime', detail };
  }
  return undefined;
}

function subPath({ site, volume, volumeMount }: Diagnosis, policy: Policy): PolicyRefusal | undefined {
  if (policy.subPath === 'recover') return undefined;
  if (site.kind === 'target') {
    if (site.subPathOf === undefined) return undefined;
    const detail = `container ${site.subPathOf} mounts a directory of volume ${volume.name} and cannot start again: mount the whole volume, or restart the pod`;
    return { reason: 'sub-path', detail };
  }
  if (volumeMount?.subPath === undefined) return undefined;
  const detail = `container ${site.container} mounts subPath "${volumeMount.subPath}" of volume ${volume.name} at ${site.path}: mount the whole volume, or restart the pod`;
  return { reason: 'sub-path', detail };
}

function nested({ site, volume, fuseAbove }: Diagnosis): PolicyRefusal | undefined {
  if (fuseAbove === undefined) return undefined;
  const detail = `${site.path} of volume ${volume.name} lies below the FUSE mount ${fuseAbove.mountPoint}, and reaching it would have to wait for that mount's daemon: mount the volume elsewhere`;
  return { reason: 'nested-below-fuse', detail };
}

function source(observation: NodeObservation, { volume, site, state }: Diagnosis): PolicyRefusal | undefined {
  const states = observedSources(observation, volume);
  if (state !== 'hung' && states.some((each) => each.state === 'live')) return undefined;
  const hung = states.find((each) => each.state === 'hung');
  if (hung !== undefined) {
    const detail = `the FUSE daemon of volume ${volume.name} at ${hung.path} does not answer: restart it, or set --abort-hung-after`;
    return { reason: 'hung', detail };
  }
  const problems = states.map((each) => `${each.path}: ${each.state === 'dead' ? each.errno : 'not mounted'}`);
  const detail = `${site.path} waits until a FUSE daemon serves volume ${volume.name} again (${problems.join(', ') || 'no source mount'}): look at the daemon's pod`;
  return { reason: 'source-not-live', detail };
}

import { sourcesOf } from './diagnose.ts';
import type { Diagnosis, NodeView, Pod, Policy, SkipReason, Volume } from './model.ts';
import { podOf } from './places.ts';

/** The label that asks for recovery inside a pod; its value must be `true`. */
export const recoveryLabel = 'fuse.serverful.fluid.io/inject';

export interface Refusal {
  readonly reason: SkipReason;
  /** One sentence: what was refused, and what the user can change. */
  readonly detail: string;
}

/**
 * Why a site is not to be touched, or undefined. What lasts (gate, access modes, label) is said before what passes (the
 * daemon is down), so that nobody waits for a recovery that will not come.
 */
export function refusal(view: NodeView, diagnosis: Diagnosis, policy: Policy): Refusal | undefined {
  return (
    gate(diagnosis, policy) ??
    readWrite(view, diagnosis, policy) ??
    pod(view, diagnosis, policy) ??
    subPath(diagnosis, policy) ??
    nested(diagnosis) ??
    source(view, diagnosis)
  );
}

/** A volume is read-only if all its access modes are ReadOnlyMany; of one without any, nothing is known, so it is not. */
export function isReadOnly({ accessModes }: Pick<Volume, 'accessModes'>): boolean {
  return accessModes.length > 0 && accessModes.every((mode) => mode === 'ReadOnlyMany');
}

/** Whether running containers of a pod may be entered. */
export function isLabelled({ labels }: Pick<Pod, 'labels'>): boolean {
  return labels[recoveryLabel] === 'true';
}

function gate({ site }: Diagnosis, { enabled }: Policy): Refusal | undefined {
  if (enabled) return undefined;
  const detail = `${site.path} is left as it is because the feature gate is off: start the node plugin with --feature-gates=FuseRecovery=true`;
  return { reason: 'gate-off', detail };
}

function readWrite(view: NodeView, { volume }: Diagnosis, { readWriteScope }: Policy): Refusal | undefined {
  switch (readWriteScope) {
    case 'recover':
      return undefined;
    case 'volume': {
      if (isReadOnly(volume)) return undefined;
      const detail = `volume ${volume.name} is not read-only (${modes(volume)}): give its Dataset the access mode ReadOnlyMany alone, or start the pod again after the daemon is back`;
      return { reason: 'read-write', detail };
    }
    case 'cluster': {
      const culprit = view.volumes.find((each) => !isReadOnly(each));
      if (culprit === undefined) return undefined;
      const detail = `nothing is recovered while volume ${culprit.name} is not read-only (${modes(culprit)}): give its Dataset the access mode ReadOnlyMany alone, or set --read-write-scope=volume`;
      return { reason: 'read-write', detail };
    }
  }
}

const modes = ({ accessModes }: Volume) => (accessModes.length === 0 ? 'no access mode' : accessModes.join(', '));

function pod(view: NodeView, { site, volume }: Diagnosis, policy: Policy): Refusal | undefined {
  const found = podOf(view.pods, site.podUid);
  const name = found === undefined ? site.podUid : `${found.namespace}/${found.name}`;
  // Its target path too: no container will start from it again, and whoever unpublishes it is to have it alone.
  if (found?.deleting) {
    const detail = `pod ${name} is being deleted, so volume ${volume.name} is left to be unpublished`;
    return { reason: 'pod-deleting', detail };
  }
  if (site.kind === 'target') return undefined;
  if (policy.pods === 'label' && (found === undefined || !isLabelled(found))) {
    const detail = `container ${site.container} of pod ${name} is not entered: create the pod with the label ${recoveryLabel}="true", or start its containers again`;
    return { reason: 'not-labelled', detail };
  }
  const runtime = found?.runtimeClass;
  if (runtime !== undefined && policy.unsupportedRuntimes.includes(runtime)) {
    const detail = `pod ${name} runs as RuntimeClass ${runtime}, whose guest keeps descriptors of its own: start the pod again`;
    return { reason: 'unsupported-runtime', detail };
  }
  return undefined;
}

function subPath({ site, volume, volumeMount }: Diagnosis, policy: Policy): Refusal | undefined {
  if (site.kind !== 'container' || volumeMount?.subPath === undefined || policy.subPath === 'recover') return undefined;
  const detail = `container ${site.container} mounts subPath "${volumeMount.subPath}" of volume ${volume.name} at ${site.path}: mount the whole volume, or start the pod again`;
  return { reason: 'sub-path', detail };
}

function nested({ site, volume, fuseAbove }: Diagnosis): Refusal | undefined {
  if (fuseAbove === undefined) return undefined;
  const detail = `${site.path} of volume ${volume.name} lies below the FUSE mount ${fuseAbove.mountPoint}, whose daemon every step to it would have to wait for: mount the volume elsewhere`;
  return { reason: 'nested-below-fuse', detail };
}

function source(view: NodeView, { volume, site }: Diagnosis): Refusal | undefined {
  const states = sourcesOf(view, volume);
  if (states.some(({ state }) => state === 'live')) return undefined;
  const hung = states.find(({ state }) => state === 'hung');
  if (hung !== undefined) {
    const detail = `the FUSE daemon of volume ${volume.name} at ${hung.path} does not answer: restart it, or set --abort-hung-after`;
    return { reason: 'hung', detail };
  }
  const said = states.map((each) => `${each.path}: ${each.state === 'dead' ? each.errno : 'not mounted'}`);
  const detail = `${site.path} waits until a FUSE daemon serves volume ${volume.name} again (${said.join(', ') || 'no source'}): look at the daemon's pod`;
  return { reason: 'source-not-live', detail };
}

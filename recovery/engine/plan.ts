import { mayHaveLiveSource, type NodeObservation, observedSources, statusOf } from './diagnose.ts';
import type { Diagnosis, LiveSource, Policy, Step } from './model.ts';
import { normalizePath, siteKey } from './mount-sites.ts';
import { refusal } from './policy.ts';

/**
 * Plans an action, or a skip with its reason, for each diagnosis that calls for one. Steps are ordered by volume, and a volume's
 * target paths come before its containers, so that a container that starts meanwhile gets the new mount. Equal observations
 * and policies give equal plans, whatever the order of the diagnoses.
 */
export function plan(observation: NodeObservation, diagnoses: readonly Diagnosis[], policy: Policy): readonly Step[] {
  return [...diagnoses]
    .filter((diagnosis) => needsStep(observation, diagnosis))
    .map((diagnosis) => ({ diagnosis, rank: rank(diagnosis) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ diagnosis }) => step(observation, diagnosis, policy));
}

/**
 * Whether anything has to be done. A mount of an earlier daemon that still answers is left alone: the application can read it,
 * and a replacement would invalidate its working directory. So is every mount while its own daemon or the source could not be asked.
 */
function needsStep(observation: NodeObservation, { state, volume, stack }: Diagnosis): boolean {
  if (mayHaveLiveSource(observation, volume)) return false;
  switch (state) {
    case 'healthy':
    case 'gone':
    case 'unknown':
    case 'kept':
      return false;
    case 'orphaned': {
      const top = stack.at(-1);
      return top !== undefined && statusOf(observation, volume, top.device) !== 'live';
    }
    case 'dead':
    case 'hung':
    case 'half-done':
    case 'contested':
    case 'unfound':
      return true;
  }
}

function step(observation: NodeObservation, diagnosis: Diagnosis, policy: Policy): Step {
  const { removable, conflict, unattributed } = diagnosis;
  if (policy.enabled && conflict !== undefined) {
    const detail = `${conflict}: nothing is touched until they agree, restart the pod`;
    return { kind: 'skip', diagnosis, reason: 'identity-conflict', detail };
  }
  const refused = refusal(observation, diagnosis, policy);
  if (refused !== undefined) return { kind: 'skip', diagnosis, ...refused };
  if (diagnosis.state === 'unfound') {
    const detail = `it is not mounted there, and ${unattributed?.mountPoint} may be a mount of volume ${diagnosis.volume.name} or not: restart the pod`;
    return { kind: 'skip', diagnosis, reason: 'mount-not-found', detail };
  }
  if (diagnosis.lost !== undefined) {
    const detail = `${diagnosis.lost.join(', ')} below ${diagnosis.site.path} has been dropped by the kernel and cannot be found on the node: restart the pod`;
    return { kind: 'skip', diagnosis, reason: 'inner-mount-unreachable', detail };
  }
  const source = liveSource(observation, diagnosis);
  if (source === 'foreign-directory') {
    const detail = `the mount at ${diagnosis.site.path} shows a directory that the kubelet has not bound there: restart the pod`;
    return { kind: 'skip', diagnosis, reason: 'identity-conflict', detail };
  }
  if (source === undefined || removable === undefined) {
    const detail = `the source mount of volume ${diagnosis.volume.name} has gone since it was read: look at the daemon's pod`;
    return { kind: 'skip', diagnosis, reason: 'source-not-live', detail };
  }
  return { kind: diagnosis.state === 'half-done' ? 'finish' : 'replace', diagnosis, source, remove: removable };
}

/** The live source to mount at a site: the one beneath the dead top if half done, otherwise the active one or the volume's first. */
function liveSource(observation: NodeObservation, diagnosis: Diagnosis): LiveSource | 'foreign-directory' | undefined {
  const { volume, site, stack, state, volumeMount } = diagnosis;
  const live = observedSources(observation, volume).filter((source) => source.state === 'live');
  const beneath = stack.at(-2)?.device;
  const active = observation.snapshot.activeDevice(volume);
  const chosen =
    (state === 'half-done' ? live.find(({ device }) => device === beneath) : undefined) ??
    live.find(({ device }) => device === active) ??
    live[0];
  if (chosen === undefined) return undefined;
  const { path, device } = chosen;
  const mount = observation.snapshot.tree.top(path);
  if (mount === undefined || mount.device !== device) return undefined;
  const top = stack.at(-1);
  const isBind = site.kind === 'target' && site.subPathOf !== undefined;
  // A subPath may be an expression or contain symbolic links; the mount itself shows the directory that it led to.
  if ((volumeMount?.subPath !== undefined || isBind) && top !== undefined) {
    const root = undeleted(top.root);
    if (isBind) return { path, device, root };
    return observation.snapshot.isSubPath(diagnosis, root) ? { path, device, root } : 'foreign-directory';
  }
  return { path, device, root: normalizePath(`${mount.root}/${volume.subdirectory}`) };
}

/** The root of a mount without the kernel's mark for a deleted directory: `/sub//deleted` becomes `/sub`. */
function undeleted(root: string): string {
  return normalizePath(root.endsWith('//deleted') ? root.slice(0, -'//deleted'.length) : root);
}

const rank = ({ volume, site }: Diagnosis) => [volume.name, site.kind === 'target' ? '0' : '1', siteKey(site)];

function compare(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

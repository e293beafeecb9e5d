import type { Decision, Failure, MountSite, Pod, SkipReason, SourceState, Volume } from './model.ts';

/** A Kubernetes event on a Dataset or on a Pod. */
export interface ObjectEvent {
  readonly object:
    | {
        readonly apiVersion: 'data.fluid.io/v1alpha1';
        readonly kind: 'Dataset';
        readonly namespace: string;
        readonly name: string;
      }
    | {
        readonly apiVersion: 'v1';
        readonly kind: 'Pod';
        readonly namespace: string;
        readonly name: string;
        readonly uid: string;
      };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The event is on the Dataset and about one mount of it. */
  readonly isAggregated?: true;
}

/** The API objects that events refer to. */
export interface EventObjects {
  readonly volumes: readonly Volume[];
  readonly podsByUid: ReadonlyMap<string, Pod>;
}

interface Notice {
  readonly type: ObjectEvent['type'];
  readonly reason: string;
}

/**
 * The event of each skip, if any.
 *
 * `gate-off` has none: the gate is off by default, and a disabled feature must not report every crash. `not-labelled` is Normal:
 * the pod did not request recovery, and the event tells readers of the failing pod how to. `pod-deleting` and `locked-volume`
 * have none, as they pass by themselves.
 */
const skipNotices: Readonly<Record<SkipReason, Notice | undefined>> = {
  'source-not-live': { type: 'Warning', reason: 'FuseRecoverWaiting' },
  'gate-off': undefined,
  'not-labelled': { type: 'Normal', reason: 'FuseRecoverNotRequested' },
  'read-write': { type: 'Warning', reason: 'FuseRecoverReadWrite' },
  'sub-path': { type: 'Warning', reason: 'FuseRecoverSubPath' },
  'unsupported-runtime': { type: 'Warning', reason: 'FuseRecoverUnsupportedRuntime' },
  'identity-conflict': { type: 'Warning', reason: 'FuseRecoverIdentityConflict' },
  'mount-not-found': { type: 'Warning', reason: 'FuseRecoverMountNotFound' },
  'pod-deleting': undefined,
  hung: { type: 'Warning', reason: 'FuseRecoverHung' },
  'nested-below-fuse': { type: 'Warning', reason: 'FuseRecoverNested' },
  'subdirectory-missing': { type: 'Warning', reason: 'FuseRecoverSubdirectoryMissing' },
  'idmap-unsupported': { type: 'Warning', reason: 'FuseRecoverIdmapUnsupported' },
  'inner-mount-unreachable': { type: 'Warning', reason: 'FuseRecoverInnerMountUnreachable' },
  'locked-volume': undefined,
};

/** Reasons that apply to the volume rather than to a container: reported once for each pod, for its target path. */
const volumeReasons: ReadonlySet<SkipReason> = new Set(['source-not-live', 'hung', 'read-write']);

/**
 * Reasons that are not reported on the Dataset: it gets one event per node when a daemon is down or hangs, and what a pod did not
 * request does not concern it.
 */
const podOnlyReasons: ReadonlySet<SkipReason> = new Set(['source-not-live', 'hung', 'not-labelled']);

/**
 * The Kubernetes events for a decision. Only `recovered` in a container makes `FuseRecoverSucceed`: a recovered target path proves
 * nothing about the pod, which may not even have requested recovery.
 */
export function eventsFor(decision: Decision, objects: EventObjects): readonly ObjectEvent[] {
  switch (decision.event) {
    case 'noticed':
      return sourceEvents(decision, objects);
    case 'unidentified': {
      const { podUid, detail } = decision;
      const pod = objects.podsByUid.get(podUid);
      if (!objects.volumes.some(({ name }) => pod?.volumes.includes(name))) return [];
      const notice: Notice = { type: 'Warning', reason: 'FuseRecoverIdentityConflict' };
      const message = `A container of this pod cannot be identified, so nothing in it is recovered: ${detail}. Look for volumeMounts of this pod that lead into the kubelet's directory`;
      return onPod(decision, objects, notice, message);
    }
    case 'standby-refused': {
      const { volume, detail } = decision;
      return onDataset(volume, { type: 'Warning', reason: 'FuseStandbyRefused' }, `Standby not used: ${detail}`);
    }
    case 'standby-differs': {
      const { volume, active, standby } = decision;
      const message = `Standby of volume ${volume.name} at ${standby} shows other files than ${active}: pods will see them if it takes over, so restart the daemon that is out of date`;
      return onDataset(volume, { type: 'Warning', reason: 'FuseStandbyDiffers' }, message);
    }
    case 'failed-over': {
      const { volume, from, to, sites, took } = decision;
      const message = `FUSE daemon of volume ${volume.name} at ${from} died: ${sites} mounts were given to the standby at ${to} within ${milliseconds(took)} ms`;
      return onDataset(volume, { type: 'Normal', reason: 'FuseFailover' }, message);
    }
    case 'skipped': {
      const { volume, site, reason, detail } = decision;
      const notice = skipNotices[reason];
      if (notice === undefined) return [];
      if (volumeReasons.has(reason) && site.kind === 'container') return [];
      // The target path and the container are reported.
      if (site.kind === 'target' && site.subPathOf !== undefined) return [];
      const message = `Fuse recover ${site.path} not done: ${detail}`;
      if (podOnlyReasons.has(reason)) return onPod(site, objects, notice, message);
      return onBoth({ volume, site }, objects, notice, message);
    }
    case 'recovered': {
      const { volume, site, took, unreadable = [] } = decision;
      if (site.kind === 'target') return [];
      const notice: Notice = { type: 'Normal', reason: 'FuseRecoverSucceed' };
      const except = unreadable.length === 0 ? '' : `; it cannot read ${formatFailures(unreadable)}`;
      const message = `Fuse recover ${site.path} succeed: ${formatConsumer(site, objects)} reads volume ${volume.name} again, ${milliseconds(took)} ms after the daemon was found back${except}`;
      return onBoth({ volume, site }, objects, notice, message);
    }
    case 'unproven': {
      const { volume, site, failure } = decision;
      if (site.kind === 'target') return [];
      const notice: Notice = { type: 'Warning', reason: 'FuseRecoverUnproven' };
      const message = `Fuse recover ${site.path} mounted, not yet proven: ${formatUnproven(failure)} (volume ${volume.name}, ${formatConsumer(site, objects)}); ${remedy(failure)}`;
      return onBoth({ volume, site }, objects, notice, message);
    }
    case 'failed': {
      const { volume, site, failure } = decision;
      const notice: Notice = { type: 'Warning', reason: 'FuseRecoverFailed' };
      const message = `Fuse recover ${site.path} failed: ${formatCall(failure)} (volume ${volume.name}, ${formatConsumer(site, objects)}); ${remedy(failure)}`;
      return onBoth({ volume, site }, objects, notice, message);
    }
    case 'fallback': {
      const { kind, result, site, detail } = decision;
      const verb = kind === 'evict' ? 'Evict' : 'Restart';
      const type = result === 'done' || result === 'postponed' ? 'Normal' : 'Warning';
      const notice: Notice = { type, reason: `FuseFallback${verb}${fallbackResults[result]}` };
      return onPod(site, objects, notice, `Fallback for ${site.path}: ${detail}`);
    }
    case 'replaced':
    case 'passed':
      return [];
  }
}

const fallbackResults = { done: 'ed', refused: 'Refused', postponed: 'Postponed', failed: 'Failed' } as const;

/** A decision as a flat object of JSON values; times are in nanoseconds. */
export function logFields(decision: Decision): Readonly<Record<string, string | number | boolean>> {
  switch (decision.event) {
    case 'noticed': {
      const { event, trigger, volume, source, role, aborted } = decision;
      const more = { ...(role === undefined ? {} : { role }), ...(aborted === undefined ? {} : { aborted }) };
      return { event, trigger, volume, ...sourceFields(source), ...more };
    }
    case 'unidentified': {
      const { event, podUid, pid, detail } = decision;
      return { event, podUid, pid, detail };
    }
    case 'standby-refused': {
      const { event, volume, path, detail } = decision;
      return { event, volume: volume.name, path, detail };
    }
    case 'standby-differs': {
      const { event, volume, active, standby } = decision;
      return { event, volume: volume.name, active, standby };
    }
    case 'failed-over': {
      const { event, volume, from, to, sites, took } = decision;
      return { event, volume: volume.name, from, to, sites, tookNs: Number(took) };
    }
    case 'skipped': {
      const { event, volume, site, reason, detail } = decision;
      return { event, volume: volume.name, ...siteFields(site), reason, detail };
    }
    case 'replaced': {
      const { event, volume, site, took, layers } = decision;
      const [layersBefore, layersAfter] = layers;
      return { event, volume: volume.name, ...siteFields(site), tookNs: Number(took), layersBefore, layersAfter };
    }
    case 'recovered': {
      const { event, volume, site, took, unreadable } = decision;
      const files = unreadable === undefined ? {} : { unreadable: formatFailures(unreadable) };
      return { event, volume: volume.name, ...siteFields(site), tookNs: Number(took), ...files };
    }
    case 'fallback': {
      const { event, kind, result, volume, site, detail } = decision;
      return { event, volume: volume.name, ...siteFields(site), kind, reason: result, detail };
    }
    case 'unproven':
    case 'failed': {
      const { event, volume, site, failure } = decision;
      return { event, volume: volume.name, ...siteFields(site), ...failureFields(failure) };
    }
    case 'passed': {
      const { event, trigger, took, observed, applied, verified, actions, skips, unhealthy, failure } = decision;
      return {
        event,
        trigger,
        tookNs: Number(took),
        observedNs: Number(observed),
        appliedNs: Number(applied),
        verifiedNs: Number(verified),
        actions,
        skips,
        unhealthy,
        ...(failure === undefined ? {} : { ...failureFields(failure), path: failure.path }),
      };
    }
  }
}

function sourceEvents(
  { volume, source, role, other, aborted }: Extract<Decision, { event: 'noticed' }>,
  { volumes }: EventObjects,
): ObjectEvent[] {
  const found = volumes.find(({ name }) => name === volume);
  // An absent mount alone is no outage: on most nodes a Dataset has no daemon until a pod needs it.
  if (found === undefined || (source.state !== 'dead' && source.state !== 'hung')) return [];
  if (aborted) {
    const notice: Notice = { type: 'Warning', reason: 'FuseDaemonAborted' };
    return onDataset(
      found,
      notice,
      `FUSE daemon of volume ${volume} at ${source.path} did not answer and its connection was aborted`,
    );
  }
  const kind = source.state === 'hung' ? 'Hung' : 'Down';
  const answer = source.state === 'hung' ? 'does not answer' : `is gone (${source.errno})`;
  if (role === 'standby') {
    const notice: Notice = { type: 'Warning', reason: `FuseStandby${kind}` };
    const message = `Standby of volume ${volume} at ${source.path} ${answer}: until it is back, pods wait for the restart of a daemon that dies`;
    return onDataset(found, notice, message);
  }
  const errors = source.state === 'hung' ? ': pods read' : ': pods see this error or EIO, and read';
  const remedy =
    other !== undefined && source.state === 'dead' ? `from the standby at ${other}` : 'after it has been restarted';
  return onDataset(
    found,
    { type: 'Warning', reason: `FuseDaemon${kind}` },
    `FUSE daemon of volume ${volume} at ${source.path} ${answer}${errors} again ${remedy}`,
  );
}

function onDataset({ dataset }: Volume, notice: Notice, message: string): ObjectEvent[] {
  if (dataset === undefined) return [];
  return [{ object: { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', ...dataset }, ...notice, message }];
}

function onBoth(
  { volume, site }: { readonly volume: Volume; readonly site: MountSite },
  objects: EventObjects,
  notice: Notice,
  message: string,
): ObjectEvent[] {
  const dataset = onDataset(volume, notice, message).map((event) => ({ ...event, isAggregated: true }) as const);
  return [...dataset, ...onPod(site, objects, notice, message)];
}

function onPod(
  { podUid }: Pick<MountSite, 'podUid'>,
  { podsByUid }: EventObjects,
  notice: Notice,
  message: string,
): ObjectEvent[] {
  const pod = podsByUid.get(podUid);
  if (pod === undefined) return [];
  const { namespace, name, uid } = pod;
  return [{ object: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, ...notice, message }];
}

function formatConsumer(site: MountSite, { podsByUid }: EventObjects): string {
  const pod = podsByUid.get(site.podUid);
  const name = pod === undefined ? `pod ${site.podUid}` : `pod ${pod.namespace}/${pod.name}`;
  const container = site.kind === 'target' ? site.subPathOf : site.container;
  return container === undefined ? name : `container ${container} of ${name}`;
}

/** Names at most three files. */
function formatFailures(failures: readonly Failure[]): string {
  const named = failures.slice(0, 3).map(({ path, errno }) => `${path} (${errno})`);
  const others = failures.length - named.length;
  return [...named, ...(others > 0 ? [`${others} more`] : [])].join(', ');
}

const formatCall = ({ call, errno, step }: Failure) => `${call} answered ${errno} at step ${step}`;

/** How a replacement failed, and what to do about it. */
export const formatFailure = (failure: Failure): string => `${formatCall(failure)}: ${remedy(failure)}`;

/** Why a mount is not proven yet, as part of a sentence. */
export function formatUnproven({ errno, call, path, step }: Failure): string {
  if (step === 'probers-hang') return 'the reads of too many other mounts hang';
  return step === 'proof-continues' ? 'the first read has not finished' : `${call} of ${path} answered ${errno}`;
}

function remedy({ errno, step }: Failure): string {
  if (step === 'probers-hang') return 'it is read once they end: look for daemons on this node that do not answer';
  if (step === 'proof-continues') return 'the daemon may be slow to list its files; the read continues';
  if (errno === 'ENOTCONN' || errno === 'ECONNABORTED') return "the daemon died again: look at its pod's log";
  if (errno === 'ETIMEDOUT') return "the daemon does not answer: look at its pod's log";
  if (errno === 'EACCES' && step.startsWith('read')) {
    return "the container's user may not read it: look at allow_other and the owners of the files";
  }
  if (errno === 'EIO') {
    return 'the daemon cannot read its files, or has died again: since Linux 6.19 a read of cached data on a dead mount answers EIO, so applications must retry on EIO as on ENOTCONN';
  }
  if (errno === 'ENOSPC') return 'the mount table is full (fs.mount-max): look for mounts that pile up';
  if (errno === 'EPERM') return "the node plugin lacks a capability: look at its DaemonSet's securityContext";
  return 'it is retried; if it keeps failing, restart the pod';
}

function siteFields(site: MountSite): Readonly<Record<string, string | number>> {
  const { kind, podUid, path } = site;
  if (site.kind === 'target') return { place: kind, podUid, path };
  return { place: kind, podUid, container: site.container, pid: site.pid, path };
}

function failureFields({ errno, step, call, path }: Failure): Readonly<Record<string, string>> {
  return { errno, step, call, failedPath: path };
}

function sourceFields(source: SourceState): Readonly<Record<string, string>> {
  const { state, path } = source;
  if (source.state === 'absent') return { state, path };
  const { device } = source;
  return 'errno' in source ? { state, path, device, errno: source.errno } : { state, path, device };
}

const milliseconds = (time: bigint) => (Number(time) / 1_000_000).toFixed(1);

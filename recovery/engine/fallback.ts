import type { Container, Nanoseconds, Pod, SkipReason, Volume } from './model.ts';
import type { SiteStatus, VolumeStatus } from './status.ts';

/** Annotation of a pod or of its namespace, by which it asks for what recovery may not do. Its value is a list of kinds. */
export const fallbackAnnotation = 'rekindle.dev/fallback';

export const fallbackKinds = ['restart-container', 'evict'] as const;
export type FallbackKind = (typeof fallbackKinds)[number];

/**
 * What brings the data back if a site is left alone. A container starts from the target path, so a restart helps if that one is
 * recovered; if it is not, or if the kubelet keeps the dead mount of a subPath, only another pod gets another mount.
 */
const cures: Partial<Readonly<Record<SkipReason, FallbackKind>>> = {
  'not-labelled': 'restart-container',
  'inner-mount-unreachable': 'restart-container',
  'read-write': 'evict',
  'sub-path': 'evict',
  'unsupported-runtime': 'evict',
};

/** Something that may be done for a pod that asked for it, or why it is not. */
export interface FallbackStep {
  readonly kind: FallbackKind;
  readonly pod: Pod;
  readonly volume: Volume;
  readonly site: SiteStatus['diagnosis']['site'];
  /** Set if it is not done. One sentence with what the user can do about it. */
  readonly refusal?: string;
}

export interface FallbackFacts {
  readonly volumes: readonly VolumeStatus[];
  readonly pod: (uid: string) => Pod | undefined;
  /** The annotation of a namespace; undefined if there is none, or it is not known yet. */
  readonly namespaceAsks: (namespace: string) => string | undefined;
  readonly now: Nanoseconds;
}

/** A daemon must have served for this long: one that dies again would take the new pod along. */
export const settleTime = 5_000_000_000n as Nanoseconds;

/**
 * The fallbacks that pods ask for, one for each pod, those that have waited longest first. Only a pod's own annotation and that of its
 * namespace count, so a tenant can ask for its own pods alone. Nothing is planned for a volume while no daemon serves it.
 */
export function planFallbacks(facts: FallbackFacts): readonly FallbackStep[] {
  const steps = new Map<string, FallbackStep & { readonly since: Nanoseconds }>();
  for (const status of facts.volumes) {
    if (!isServed(status, facts.now)) continue;
    for (const site of status.sites) {
      const step = stepFor(facts, status, site);
      const known = step === undefined ? undefined : steps.get(step.pod.uid);
      if (step !== undefined && (known === undefined || (known.kind !== 'evict' && step.kind === 'evict')))
        steps.set(step.pod.uid, { ...step, since: site.since });
    }
  }
  return [...steps.values()].sort((a, b) => Number(a.since - b.since)).map(({ since: _, ...step }) => step);
}

const isServed = ({ sources }: VolumeStatus, now: Nanoseconds) =>
  sources.some(({ state, since }) => state === 'live' && now - since >= settleTime);

/** Namespaces of the pods whose own annotation does not decide, so that their namespace's must be known. */
export function undecidedNamespaces({ volumes, pod }: Pick<FallbackFacts, 'volumes' | 'pod'>): ReadonlySet<string> {
  const waiting = volumes.flatMap(({ sites }) => sites.flatMap((site) => (isCurable(site) ? [site] : [])));
  const pods = waiting.flatMap(({ diagnosis }) => pod(diagnosis.site.podUid) ?? []);
  return new Set(pods.flatMap((each) => (each.annotations[fallbackAnnotation] === undefined ? [each.namespace] : [])));
}

const isCurable = (site: SiteStatus): boolean => cureOf(site) !== undefined;

/** Of a container, or of the directory from which one cannot start again. A target path is not left alone for a reason of its own. */
function cureOf({ diagnosis: { site }, reason }: SiteStatus): FallbackKind | undefined {
  const isForContainer = site.kind === 'container' || (site.subPathOf !== undefined && reason === 'sub-path');
  return isForContainer && reason !== undefined ? cures[reason] : undefined;
}

function stepFor(facts: FallbackFacts, { volume, sites }: VolumeStatus, site: SiteStatus): FallbackStep | undefined {
  const cure = cureOf(site);
  const place = site.diagnosis.site;
  const pod = facts.pod(place.podUid);
  if (cure === undefined || pod === undefined || pod.deleting) return undefined;
  const asked = pod.annotations[fallbackAnnotation] ?? facts.namespaceAsks(pod.namespace);
  if (asked === undefined) return undefined;
  const step = { kind: cure, pod, volume, site: place };
  const kinds = asked.split(',').map((kind) => kind.trim());
  const unknown = kinds.find((kind) => !(fallbackKinds as readonly string[]).includes(kind));
  if (unknown !== undefined)
    return { ...step, refusal: `${fallbackAnnotation}=${asked} is not understood: use ${fallbackKinds.join(' or ')}` };
  if (!kinds.includes(cure))
    return {
      ...step,
      refusal: `${kinds.join(', ')} does not help a mount that is left alone as ${site.reason}: ask for ${cure}`,
    };
  if (cure === 'restart-container') {
    const isTargetLive = sites.some(
      ({ diagnosis, state }) =>
        diagnosis.site.kind === 'target' && diagnosis.site.podUid === pod.uid && state === 'healthy',
    );
    // It is about to be recovered: until then a new container would start on the dead mount.
    if (!isTargetLive) return undefined;
  }
  const refusal = cure === 'evict' ? unevictable(pod) : unrestartable(pod);
  return refusal === undefined ? step : { ...step, refusal };
}

function unevictable({ controller, restartPolicy }: Pod): string | undefined {
  if (controller === undefined)
    return 'nothing would create the pod again, as it has no controller: restart it by hand';
  if (controller.kind === 'DaemonSet' || controller.kind === 'Node')
    return `a pod of a ${controller.kind} is not evicted, as it would be back on this node at once: delete it by hand`;
  if (restartPolicy === 'Never')
    return 'a pod with restartPolicy Never is not evicted, as it would count as failed: restart it by hand';
  return undefined;
}

function unrestartable({ restartPolicy }: Pod): string | undefined {
  if (restartPolicy === 'Always') return undefined;
  return `the kubelet may not start an ended container again with restartPolicy ${restartPolicy}: restart the pod by hand`;
}

/** The container of a step, if it still runs. */
export function containerOf({ site }: FallbackStep, containers: readonly Container[]): Container | undefined {
  if (site.kind !== 'container') return undefined;
  const { podUid, container: name, mountNamespace } = site;
  return containers.find(
    (each) => each.podUid === podUid && each.name === name && each.mountNamespace === mountNamespace,
  );
}

/** Least time between two fallbacks. */
const spacing = { node: 2_000_000_000n, volume: 10_000_000_000n };
/** How long a pod waits after its first fallback; it doubles with each further one. */
const firstWait = 10_000_000_000n;
const longestWait = 1_800_000_000_000n;
/** A container may take this long to end: 30 s until it is killed, and its own end. */
const restartWait = 40_000_000_000n;

/** Limits how often fallbacks happen, so that a broken daemon does not take all pods of a node or a dataset along. */
export class FallbackLimits {
  #node: Nanoseconds | undefined;
  readonly #volumes = new Map<string, Nanoseconds>();
  /** By pod and container name, as a restarted container is the same one. */
  readonly #pods = new Map<string, { readonly count: number; readonly until: Nanoseconds }>();

  allows(step: FallbackStep, now: Nanoseconds): boolean {
    const volume = this.#volumes.get(step.volume.name);
    const pod = this.#pods.get(keyOf(step));
    return (
      (this.#node === undefined || now - this.#node >= spacing.node) &&
      (volume === undefined || now - volume >= spacing.volume) &&
      (pod === undefined || now >= pod.until)
    );
  }

  /** Counts an attempt. `done`: false if nothing has happened, so that others need not wait. */
  count(step: FallbackStep, now: Nanoseconds, done: boolean): void {
    const key = keyOf(step);
    const count = (this.#pods.get(key)?.count ?? 0) + 1;
    const first = step.kind === 'evict' ? firstWait : restartWait;
    const doubled = first << BigInt(Math.min(count - 1, 10));
    const wait = doubled < longestWait ? doubled : longestWait;
    this.#pods.set(key, { count, until: (now + wait) as Nanoseconds });
    this.#node = now;
    if (done) this.#volumes.set(step.volume.name, now);
  }

  /** Forgets pods that are gone. */
  retain(uids: ReadonlySet<string>): void {
    for (const key of this.#pods.keys()) if (!uids.has(key.split(' ')[0] ?? '')) this.#pods.delete(key);
  }
}

const keyOf = ({ kind, pod, site }: FallbackStep) =>
  `${pod.uid} ${kind === 'evict' || site.kind === 'target' ? '' : site.container}`;

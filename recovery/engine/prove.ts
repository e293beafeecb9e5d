import { meaningOf } from './liveness.ts';
import type { Failure, LiveSource, MountSite, Nanoseconds } from './model.ts';
import { siteKey } from './mount-sites.ts';
import type { ClockPort, KernelPort, ReadAnswer, Recorder, Result } from './ports.ts';
import type { NodeSnapshot } from './snapshot.ts';
import type { Journal, UnprovenSite, VolumeState } from './volume-state.ts';

export interface ProofParts {
  readonly kernel: Pick<KernelPort, 'read'>;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly journal: Journal;
  /** How long the consumers may read undisturbed before the proofs. */
  readonly delay: Nanoseconds;
  /** How long a read may take. A large directory may take a minute to list, and a listing that is given up loads the store for nothing. */
  readonly timeout: Nanoseconds;
  /** After how long a read that continues is reported as `unproven`. */
  readonly reportAfter: Nanoseconds;
  /** How long after the first failed read the second one follows. */
  readonly retryDelay: Nanoseconds;
  readonly isStopped: () => boolean;
  /** A snapshot whose containers were read after the replacement. */
  readonly takeSnapshot: () => NodeSnapshot | undefined;
}

/** How often a site is read in vain before its proof is given up, after about five minutes with the default period. */
const maxReads = 7;

/**
 * Reads at all sites concurrently, each as its consumer, and reports it as `recovered` once a read has succeeded. Resolves when each site has
 * been reported: if its read fails or takes long as `unproven`. That is a report and nothing more; it says nothing about the daemon, and no
 * mount is touched because of it. A slow read continues, and a failed one is repeated by later passes, less and less often.
 *
 * A site that has gone meanwhile, usually with its pod, is not reported. The volume's lock is not held, because a daemon that hangs must not
 * keep a pod from being unpublished.
 */
export async function prove(
  parts: ProofParts,
  state: VolumeState,
  snapshot: Pick<NodeSnapshot, 'container'>,
  unproven: readonly UnprovenSite[],
): Promise<void> {
  const { kernel, clock, recorder, journal, delay } = parts;
  for (const each of unproven) each.dueAt = undefined;
  if (unproven.length > 0 && delay > 0n) await new Promise<void>((resolve) => void clock.after(delay, resolve));
  if (parts.isStopped()) return;
  const deadline = (clock.now() + parts.timeout) as Nanoseconds;
  // A connection serves one read at a time, and consumers wait for the container mounts only.
  const inContainers = unproven.filter(({ diagnosis }) => diagnosis.site.kind === 'container');
  const onNode = unproven.filter(({ diagnosis }) => diagnosis.site.kind === 'target');
  await Promise.all([...inContainers, ...onNode].map(proveSite));

  function proveSite(unprovenSite: UnprovenSite): Promise<void> {
    const { diagnosis, source } = unprovenSite;
    const { site } = diagnosis;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(parts.reportAfter, () => {
      const failure = { errno: 'ETIMEDOUT', call: 'read', path: site.path, step: 'proof-continues' };
      if (isLatest(unprovenSite) && !hasGone(site)) journal.unproven(diagnosis, source, failure);
      resolve();
    });
    void readAsConsumer(kernel, snapshot, { site, source, deadline }).then((result) => {
      timer[Symbol.dispose]();
      settle(unprovenSite, result);
      resolve();
    });
    return promise;
  }

  function settle(unprovenSite: UnprovenSite, result: Result<ReadAnswer>): void {
    if (!isLatest(unprovenSite)) return;
    const { diagnosis, source, since, lostAt } = unprovenSite;
    const { volume, site } = diagnosis;
    if (result.ok) {
      const key = siteKey(site);
      state.unproven.delete(key);
      const { unreadable } = result.value;
      const at = clock.now();
      const took = (at - since) as Nanoseconds;
      const recovery = { at, outage: (at - lostAt) as Nanoseconds };
      state.memory.set(key, { state: 'healthy', since: at, recovery });
      recorder({ event: 'recovered', volume, site, took, ...(unreadable === undefined ? {} : { unreadable }) });
      return;
    }
    if (hasGone(site)) {
      state.unproven.delete(siteKey(site));
      return;
    }
    const { failure } = result;
    const isOwn = isOwnError(failure);
    if (!isOwn) unprovenSite.failures.push(failure);
    const reads = unprovenSite.failures.length;
    const doubled = BigInt(Math.max(reads - 1, 0));
    if (reads < maxReads) unprovenSite.dueAt = (clock.now() + (parts.retryDelay << doubled)) as Nanoseconds;
    if (!isOwn || failure.step === 'probers-hang') journal.unproven(diagnosis, source, failure);
  }

  /** Whether the site has been given no other mount meanwhile. */
  function isLatest(unprovenSite: UnprovenSite): boolean {
    return !parts.isStopped() && state.unproven.get(siteKey(unprovenSite.diagnosis.site)) === unprovenSite;
  }

  function hasGone(site: MountSite): boolean {
    return parts.takeSnapshot()?.isGone(site) === true;
  }
}

/** Whether a read failed before it reached the mount, because no prober was free, the process to read as has ended, or files ran out. */
function isOwnError({ errno, step }: Failure): boolean {
  if (step === 'probers-hang') return true;
  if (step === 'read-queue') return errno !== 'ETIMEDOUT';
  return meaningOf(errno, 'reads') === 'unknown' || (step === 'enter' && errno === 'ENOENT');
}

/**
 * Reads through a new mount in the consumer's namespace and as its user. Succeeds only if the source's own device answered. ESRCH: its
 * container is not known at the moment. ENOTCONN right after a replacement means that the daemon died again.
 */
export async function readAsConsumer(
  kernel: Pick<KernelPort, 'read'>,
  snapshot: Pick<NodeSnapshot, 'container'>,
  { site, source, deadline }: { readonly site: MountSite; readonly source: LiveSource; readonly deadline: Nanoseconds },
): Promise<Result<ReadAnswer>> {
  const container = snapshot.container(site);
  // As root it could read what the consumer cannot.
  if (site.kind === 'container' && container === undefined)
    return { ok: false, failure: { errno: 'ESRCH', call: 'read', path: site.path, step: 'enter' } };
  const user = container === undefined ? {} : { user: container.user };
  const answer = await kernel.read({ site, device: source.device, deadline, ...user });
  if (!answer.ok || answer.value.device === source.device) return answer;
  return { ok: false, failure: { errno: 'ESTALE', call: 'statfs', path: site.path, step: 'verify-device' } };
}

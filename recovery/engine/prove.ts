import type { Failure, LiveSource, MountSite, Nanoseconds } from './model.ts';
import { siteKey } from './mount-sites.ts';
import type { ClockPort, KernelPort, Recorder } from './ports.ts';
import type { NodeSnapshot } from './snapshot.ts';
import type { Journal, UnprovenSite, VolumeState } from './volume-state.ts';

export interface ProofParts {
  readonly kernel: Pick<KernelPort, 'read'>;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly journal: Journal;
  /** How long the consumers may read undisturbed before the proofs. */
  readonly delay: Nanoseconds;
  /** How long a read may take. */
  readonly timeout: Nanoseconds;
  readonly isStopped: () => boolean;
  /** A snapshot whose containers were read after the replacement. */
  readonly takeSnapshot: () => NodeSnapshot | undefined;
}

/**
 * Reads at all sites concurrently and reports each as `recovered` or `failed` as soon as its result is known. A site that has
 * gone meanwhile, usually with its pod, is neither. The volume's lock is not held, because a daemon that hangs must not keep a pod
 * from being unpublished.
 */
export async function prove(
  parts: ProofParts,
  state: VolumeState,
  snapshot: Pick<NodeSnapshot, 'container'>,
  unproven: readonly UnprovenSite[],
): Promise<void> {
  const { kernel, clock, recorder, journal, delay } = parts;
  for (const each of unproven) each.isProving = true;
  if (unproven.length > 0 && delay > 0n) await new Promise<void>((resolve) => void clock.after(delay, resolve));
  if (parts.isStopped()) return;
  const deadline = (clock.now() + parts.timeout) as Nanoseconds;
  // A connection serves one read at a time, and consumers wait for the container mounts only.
  const inContainers = unproven.filter(({ diagnosis }) => diagnosis.site.kind === 'container');
  const onNode = unproven.filter(({ diagnosis }) => diagnosis.site.kind === 'target');
  await Promise.all([...inContainers, ...onNode].map(proveSite));

  async function proveSite(unprovenSite: UnprovenSite): Promise<void> {
    const { diagnosis, source, since } = unprovenSite;
    const { volume, site } = diagnosis;
    const key = siteKey(site);
    const failure = await readAsConsumer(kernel, snapshot, { site, source, deadline });
    unprovenSite.isProving = false;
    const isLatest = state.unproven.get(key) === unprovenSite;
    if (failure === undefined) {
      if (isLatest) state.unproven.delete(key);
      recorder({ event: 'recovered', volume, site, took: (clock.now() - since) as Nanoseconds });
      return;
    }
    if (parts.takeSnapshot()?.isGone(site)) {
      if (isLatest) state.unproven.delete(key);
      return;
    }
    // A later pass tries again.
    if (isOwnError(failure)) return;
    journal.failed(diagnosis, failure);
  }
}

/** Whether a read failed before it reached the mount, because no prober was free or the process to read as has ended. */
function isOwnError({ errno, step }: Failure): boolean {
  if (step === 'read-queue') return errno !== 'ETIMEDOUT';
  return errno === 'ECHILD' || errno === 'ESRCH' || (errno === 'ENOENT' && step === 'enter');
}

/**
 * Reads through a new mount in the consumer's namespace and as its user. Returns undefined only if the read succeeded and the
 * source's own device answered it. ENOTCONN right after a replacement means that the daemon died again.
 */
export async function readAsConsumer(
  kernel: Pick<KernelPort, 'read'>,
  snapshot: Pick<NodeSnapshot, 'container'>,
  { site, source, deadline }: { readonly site: MountSite; readonly source: LiveSource; readonly deadline: Nanoseconds },
): Promise<Failure | undefined> {
  const container = snapshot.container(site);
  const user = container === undefined ? {} : { user: container.user };
  const answer = await kernel.read({ site, device: source.device, deadline, ...user });
  if (!answer.ok) return answer.failure;
  if (answer.value.device === source.device) return undefined;
  return { errno: 'ESTALE', call: 'statfs', path: site.path, step: 'verify-device' };
}

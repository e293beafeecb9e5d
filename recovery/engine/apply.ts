import {
  diagnose,
  type KnownLiveness,
  mayHaveLiveSource,
  type NodeObservation,
  observe,
  sourceQuestions,
  statusOf,
} from './diagnose.ts';
import type {
  Action,
  Diagnosis,
  Failure,
  LiveSource,
  Mount,
  Nanoseconds,
  Policy,
  Skip,
  Step,
  Volume,
} from './model.ts';
import { siteKey } from './mount-sites.ts';
import { plan } from './plan.ts';
import { isReadOnly } from './policy.ts';
import type { ClockPort, KernelPort, Recorder, Replaced, Replacement, Result, VolumeLocks } from './ports.ts';
import type { NodeSnapshot } from './snapshot.ts';
import {
  isProofDue,
  type Journal,
  lostSince,
  noteAttempt,
  noteSites,
  type UnhealthySite,
  type UnprovenSite,
  type VolumeState,
  wasAttempted,
} from './volume-state.ts';

export interface RecoveryParts {
  readonly kernel: Pick<KernelPort, 'replaceAll'>;
  readonly locks: VolumeLocks;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly policy: Policy;
  readonly liveness: KnownLiveness;
  /** Takes another snapshot; undefined if that fails. */
  readonly takeSnapshot: () => NodeSnapshot | undefined;
}

export interface RecoveryRequest {
  readonly volume: Volume;
  readonly state: VolumeState;
  readonly snapshot: NodeSnapshot;
  /** Whether actions that were attempted before are attempted again. */
  readonly repeatsAttempts: boolean;
  /** Used if the answers are the expected ones and the node is as it was. */
  readonly rehearsal?: Rehearsal | undefined;
}

/** The plan for the answers that are expected, made while they are awaited. */
export interface Rehearsal {
  readonly observation: NodeObservation;
  readonly policy: Policy;
  readonly diagnoses: readonly Diagnosis[];
  readonly steps: readonly Step[];
}

export function rehearse(
  snapshot: NodeSnapshot,
  volume: Volume,
  { known, policy }: { readonly known: KnownLiveness; readonly policy: Policy },
): Rehearsal {
  const observation = observe(snapshot, [volume], known);
  const diagnoses = diagnose(observation);
  return { observation, policy, diagnoses, steps: plan(observation, diagnoses, policy) };
}

/** Whether a plan would be the same now. Indexes of a snapshot are the same objects as long as what they depend on is. */
function isStillTrue(rehearsal: Rehearsal, now: NodeObservation, volume: Volume, policy: Policy): boolean {
  const { snapshot } = rehearsal.observation;
  const answers = ({ sources, liveness }: NodeObservation) =>
    JSON.stringify([sources.get(volume.name), [...liveness].map(([device, { status }]) => [device, status])]);
  return (
    rehearsal.policy === policy &&
    snapshot.sites(volume) === now.snapshot.sites(volume) &&
    snapshot.evidence(volume) === now.snapshot.evidence(volume) &&
    answers(rehearsal.observation) === answers(now)
  );
}

export interface VolumeRecovery {
  readonly began: Nanoseconds;
  readonly applied: Nanoseconds;
  readonly actions: number;
  readonly skips: number;
  readonly replaced: readonly UnprovenSite[];
  /** Sites that show the source and have not been proven. */
  readonly unproven: readonly UnprovenSite[];
  readonly snapshot: NodeSnapshot;
  /** Whether to retry soon: the lock was held, the mount table changed meanwhile, or a daemon could not be asked. */
  readonly needsRetry: boolean;
}

/**
 * Diagnoses a volume whose sources have answered, plans, and applies the plan. This is synchronous: nothing is awaited between the
 * snapshot and the last mount call, so no two volumes and no two passes ever act at the same time.
 */
export function recoverVolume(parts: RecoveryParts, request: RecoveryRequest): VolumeRecovery {
  const began = parts.clock.now();
  const { volume, state, repeatsAttempts } = request;
  const replaced = new Map<string, UnprovenSite>();
  const skips: Skip[] = [];
  let { snapshot } = request;
  let applied = 0n;
  let actions = 0;
  let needsRetry = false;
  let observation = observe(snapshot, [volume], parts.liveness);
  const rehearsal =
    request.rehearsal !== undefined && isStillTrue(request.rehearsal, observation, volume, parts.policy)
      ? request.rehearsal
      : undefined;
  let diagnoses = rehearsal?.diagnoses ?? diagnose(observation);

  // A second round follows if the mount table changed meanwhile: sites healed by propagation then only need a proof.
  let stale: readonly Action[] = [];
  for (let round = 0; round < 2; round += 1) {
    const steps = (round === 0 ? rehearsal?.steps : undefined) ?? plan(observation, diagnoses, parts.policy);
    if (round === 0) skips.push(...steps.filter(isSkip));
    const due = steps.filter(isAction).filter((action) => repeatsAttempts || !wasAttempted(state, action));
    const healed = stale.filter(({ diagnosis }) => isHealthyNow(diagnoses, diagnosis));
    for (const action of healed) noteReplaced(action);
    if (due.length === 0) break;

    const startedAt = parts.clock.now();
    const outcomes = applyActions(parts, snapshot, due);
    applied += parts.clock.now() - startedAt;
    if (outcomes === undefined) {
      skips.push(...due.map((action) => lockedSkip(action.diagnosis)));
      needsRetry = true;
      break;
    }
    actions += due.length;
    state.actedAt = parts.clock.now();
    const hasFailed = outcomes.some(({ result }) => !result.ok);
    const next = hasFailed ? parts.takeSnapshot() : snapshot;
    for (const outcome of outcomes) settle(outcome, next);
    stale = outcomes.filter(isStale).map(({ action }) => action);
    if (stale.length === 0) break;
    // If a source appeared that was not asked, the change itself starts the next pass.
    if (next === undefined || hasUnaskedSource(next, volume, parts.liveness)) {
      needsRetry = true;
      break;
    }
    needsRetry = round === 1;
    snapshot = next;
    observation = observe(snapshot, [volume], parts.liveness);
    diagnoses = diagnose(observation);
  }

  noteSites(state, diagnoses, parts.clock.now());
  if (mayHaveLiveSource(observation, volume) || diagnoses.some(({ state: each }) => each === 'unknown'))
    needsRetry = true;

  for (const skip of skips) parts.journal.skipped(skip);
  state.unhealthy = unhealthySites(observation, diagnoses, skips, replaced);
  const failing = new Set(state.unhealthy.map(({ diagnosis }) => siteKey(diagnosis.site)));
  for (const key of state.failures.keys()) if (!failing.has(key)) state.failures.delete(key);
  const unproven = updateUnproven({ observation, volume, state, diagnoses, replaced, now: parts.clock.now() });
  parts.journal.retain(
    volume.name,
    [...state.unhealthy, ...state.unproven.values()].map(({ diagnosis }) => diagnosis.site),
  );
  return {
    began,
    applied: applied as Nanoseconds,
    actions,
    skips: skips.length,
    replaced: [...replaced.values()],
    unproven,
    snapshot,
    needsRetry,
  };

  function noteReplaced({ diagnosis, source }: Action): void {
    const key = siteKey(diagnosis.site);
    const lostAt = lostSince(state, key, began);
    replaced.set(key, { diagnosis, source, since: began, lostAt, failures: [], dueAt: began });
  }

  function settle({ action, result }: Outcome, now: NodeSnapshot | undefined): void {
    const { diagnosis } = action;
    if (result.ok) {
      noteAttempt(state, action);
      noteReplaced(action);
      const { took, layers } = result.value;
      parts.recorder({ event: 'replaced', volume, site: diagnosis.site, took, layers });
      return;
    }
    if (result.failure.errno === 'ESTALE') return;
    // A filesystem on the way is being asked, and answers before the retry.
    if (result.failure.errno === 'EINPROGRESS') {
      needsRetry = true;
      return;
    }
    // A pod that ended meanwhile did not fail to recover.
    if (now?.isGone(diagnosis.site)) return;
    noteAttempt(state, action);
    const skip = unsupportedSkip(action, result.failure);
    if (skip === undefined) {
      state.failures.set(siteKey(diagnosis.site), result.failure);
      parts.journal.failed(diagnosis, result.failure);
    } else skips.push(skip);
  }
}

interface Outcome {
  readonly action: Action;
  readonly result: Result<Replaced>;
}

const isSkip = (step: Step): step is Skip => step.kind === 'skip';
const isAction = (step: Step): step is Action => step.kind !== 'skip';
const isStale = ({ result }: Outcome) => !result.ok && result.failure.errno === 'ESTALE';

/**
 * Applies the actions of one volume in one batch while holding the volume's lock, so that CSI publish and unpublish do not
 * interfere. Does nothing and returns undefined if the lock is held by another.
 */
function applyActions(
  { kernel, locks }: Pick<RecoveryParts, 'kernel' | 'locks'>,
  snapshot: NodeSnapshot,
  actions: readonly Action[],
): readonly Outcome[] | undefined {
  const handle = actions[0]?.diagnosis.volume.handle;
  if (handle === undefined) return [];
  using lock = locks.tryAcquire(handle);
  if (lock === undefined) return undefined;
  const results = kernel.replaceAll(actions.map((action) => replacementFor(action, snapshot)));
  return actions.map((action, index) => {
    const { path } = action.diagnosis.site;
    const failure = { errno: 'ENOSYS', call: 'replaceAll', path, step: 'no-outcome' };
    return { action, result: results[index] ?? { ok: false, failure } };
  });
}

export function replacementFor({ kind, diagnosis, source, remove }: Action, { mounts }: NodeSnapshot): Replacement {
  const { site, stack, below, volume, volumeMount } = diagnosis;
  // A read-only site stays so, whether because of the PersistentVolume, the pod's volumeMount, or the mount itself.
  const readOnly =
    isReadOnly(volume) || volumeMount?.readOnly === true || (stack.at(-1)?.options.includes('ro') ?? false);
  return { kind, site, stack, below, source, remove, readOnly, elsewhere: mountsElsewhere(mounts, below) };
}

/** The node's mounts that contain what `below` shows. */
function mountsElsewhere(mounts: readonly Mount[], below: readonly Mount[]): readonly Mount[] {
  if (below.length === 0) return [];
  return mounts.filter(
    (mount) =>
      !below.includes(mount) &&
      below.some((inner) => inner.device === mount.device && contains(mount.root, inner.root)),
  );
}

const contains = (root: string, directory: string) =>
  root === '/' || root === directory || directory.startsWith(`${root}/`);

/** The skip for a failure that a retry cannot cure, as the kernel does not support what is needed. */
function unsupportedSkip({ diagnosis, source }: Action, { step, errno, call }: Failure): Skip | undefined {
  const { site, volume } = diagnosis;
  const skip = (reason: Skip['reason'], detail: string): Skip => ({ kind: 'skip', diagnosis, reason, detail });
  if (step === 'clone-source' && source.root !== '/' && (errno === 'ENOENT' || errno === 'ENOTDIR')) {
    return skip(
      'subdirectory-missing',
      `${source.root} no longer exists in volume ${volume.name}, so it cannot be mounted at ${site.path}: create the directory again`,
    );
  }
  if (step.includes('idmap') && (errno === 'EINVAL' || errno === 'EPERM' || errno === 'ENOSYS')) {
    return skip(
      'idmap-unsupported',
      `the FUSE daemon of volume ${volume.name} does not support idmapped mounts, which ${site.path} needs: run the pod with hostUsers: true`,
    );
  }
  if (step.includes('inner')) {
    const inner = diagnosis.below.map(({ mountPoint }) => mountPoint).join(', ');
    return skip(
      'inner-mount-unreachable',
      `${inner} below ${site.path} is unreachable and would be lost (${call}: ${errno}): restart the pod`,
    );
  }
  return undefined;
}

function lockedSkip(diagnosis: Diagnosis): Skip {
  const detail = `volume ${diagnosis.volume.name} is being published or unpublished: ${diagnosis.site.path} is recovered afterwards`;
  return { kind: 'skip', diagnosis, reason: 'locked-volume', detail };
}

function isHealthyNow(diagnoses: readonly Diagnosis[], { site }: Diagnosis): boolean {
  const key = siteKey(site);
  return diagnoses.some((each) => each.state === 'healthy' && siteKey(each.site) === key);
}

function hasUnaskedSource(snapshot: NodeSnapshot, volume: Volume, known: KnownLiveness): boolean {
  return sourceQuestions(snapshot, volume).some(({ device }) => known.get(device) === undefined);
}

function unhealthySites(
  observation: NodeObservation,
  diagnoses: readonly Diagnosis[],
  skips: readonly Skip[],
  replaced: ReadonlyMap<string, unknown>,
): readonly UnhealthySite[] {
  const reasons = new Map(skips.map(({ diagnosis, reason, detail }) => [siteKey(diagnosis.site), { reason, detail }]));
  return diagnoses
    .filter((diagnosis) => isUnhealthy(observation, diagnosis) && !replaced.has(siteKey(diagnosis.site)))
    .map((diagnosis) => ({ diagnosis, ...reasons.get(siteKey(diagnosis.site)) }));
}

function isUnhealthy(observation: NodeObservation, { state, volume, stack }: Diagnosis): boolean {
  if (state === 'healthy' || state === 'gone' || state === 'unknown') return false;
  const top = stack.at(-1);
  return state !== 'orphaned' || top === undefined || statusOf(observation, volume, top.device) !== 'live';
}

/**
 * Adds the sites replaced now to the unproven ones, drops those that no longer show the source they were given, and returns those
 * whose next read is due.
 */
function updateUnproven({
  observation,
  volume,
  state,
  diagnoses,
  replaced,
  now,
}: {
  readonly observation: NodeObservation;
  readonly volume: Volume;
  readonly state: VolumeState;
  readonly diagnoses: readonly Diagnosis[];
  readonly replaced: ReadonlyMap<string, UnprovenSite>;
  readonly now: Nanoseconds;
}): readonly UnprovenSite[] {
  const status = ({ device }: LiveSource) => statusOf(observation, volume, device);
  for (const [key, site] of replaced) state.unproven.set(key, site);
  const current = new Map(diagnoses.map((each) => [siteKey(each.site), each]));
  for (const [key, site] of state.unproven) {
    if (replaced.has(key)) continue;
    const diagnosis = current.get(key);
    const isShown = diagnosis?.stack.at(-1)?.device === site.source.device;
    if (diagnosis === undefined || !isShown || status(site.source) === 'dead') state.unproven.delete(key);
    else site.diagnosis = diagnosis;
  }
  return [...state.unproven.values()].filter((site) => isProofDue(site, now) && status(site.source) === 'live');
}

import { type RecoveryRequest, recoverVolume, rehearse, type VolumeRecovery } from './apply.ts';
import { sourceQuestions, sourceStates, volumeQuestions } from './diagnose.ts';
import { type LivenessCache, VolumeAnswers } from './liveness.ts';
import type { LookUps } from './look-ups.ts';
import type { DeviceId, Nanoseconds, Policy, SourceState, Trigger, Volume } from './model.ts';
import type { ClockPort, KernelPort, Recorder, VolumeLocks } from './ports.ts';
import { expectedAnswers } from './prepare.ts';
import { prove } from './prove.ts';
import type { NodeSnapshot, SnapshotCache } from './snapshot.ts';
import { type Candidate, triggerRules, type VolumeFingerprint } from './triggers.ts';
import { isProofDue, type Journal, noteSources, type VolumeState } from './volume-state.ts';

export interface VolumePassParts {
  readonly kernel: Pick<KernelPort, 'read' | 'replaceAll'>;
  readonly locks: VolumeLocks;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly liveness: LivenessCache;
  readonly snapshots: SnapshotCache;
  readonly lookUps: LookUps;
  readonly policy: () => Policy;
  readonly readDeadline: Nanoseconds;
  readonly proofDelay: Nanoseconds;
  readonly proofTimeout: Nanoseconds;
  readonly resyncPeriod: Nanoseconds;
  readonly isStopped: () => boolean;
  /** The sources of the volume have answered, and nothing has been done about it yet. */
  readonly onSourceStates: (volume: Volume, states: readonly SourceState[]) => void;
  /** Mounts have been replaced, and their proofs begin, a source has answered after the pass went on, or the pass waits. */
  readonly onSourcesChanged: () => void;
}

export interface VolumePassResult
  extends Pick<VolumeRecovery, 'began' | 'applied' | 'actions' | 'skips' | 'replaced' | 'needsRetry'> {
  readonly verified: Nanoseconds;
}

/** A pass over one volume whose sources are being asked. */
export interface VolumePass {
  /** Undefined if a later pass has superseded this one, or if nothing had changed. */
  finish(options: {
    /** Whether to end early if sources and sites are unchanged. */
    readonly maySkip: boolean;
    /** Scans the containers as thoroughly as the trigger asks for; repeated calls do nothing. */
    readonly scanContainers: () => void;
  }): Promise<VolumePassResult | undefined>;
}

/**
 * Asks a volume's sources, in order to act once they have answered. Undefined if another pass already waits for the same sources.
 * A pass that waits for sources that no longer exist is superseded.
 */
export function startVolumePass(
  parts: VolumePassParts,
  snapshot: NodeSnapshot,
  { fingerprint, state }: Pick<Candidate, 'fingerprint' | 'state'>,
  trigger: Trigger,
): VolumePass | undefined {
  const { volume, sourceText } = fingerprint;
  const { asksAnew = false, reportsBeforeScan = false, holdsReports, repeatsAttempts = false } = triggerRules[trigger];
  const questions = sourceQuestions(snapshot, volume);
  // A pass that waits for one source does not notice that another, which hung when it was asked, answers by now.
  const mayHaveChanged = questions.some(({ device }) => parts.liveness.get(device)?.status === 'hung');
  if (state.pending?.sourceText === sourceText && !asksAnew && !mayHaveChanged) return undefined;
  const token = { sourceText };
  state.pending = token;
  const answers = new VolumeAnswers(parts.liveness, asksAnew ? parts.clock.now() : undefined);
  const active = snapshot.activeDevice(volume);
  // The active one last: if its daemon has died, the kernel answers at once, whereas a standby's daemon has to do so itself.
  const sources = [...questions].sort((a, b) => Number(a.device === active) - Number(b.device === active));
  answers.ask(sources);
  const isSuperseded = () => parts.isStopped() || state.pending !== token;

  return {
    async finish({ maySkip, scanContainers }) {
      const before = state.sources;
      const expected = asksAnew ? expectedAnswers(snapshot, volume, before) : undefined;
      const recent = expected === undefined ? undefined : parts.snapshots.recent(state.actedAt);
      const rehearsal =
        expected === undefined || recent === undefined
          ? undefined
          : rehearse(recent, volume, { known: expected, policy: parts.policy() });
      if (!(await sourcesAnswered())) return end();
      void reportLateSources();
      if (maySkip && isUnchanged(answers, fingerprint, state, parts.clock.now())) return end();
      reportSources(parts, answers, { volume, state, trigger, snapshot });
      // If a standby is live there is no time to find consumers; the next pass finds those that are not known yet.
      if (!reportsBeforeScan || isOutage(answers, snapshot, volume)) scanContainers();
      state.isHoldingReports = holdsReports === true && isOutage(answers, snapshot, volume);
      if (state.isHoldingReports) {
        end();
        return nothingDone(parts.clock.now());
      }
      const complete = await answeredSnapshot();
      end();
      if (complete === undefined) return undefined;
      reportSources(parts, answers, { volume, state, trigger, snapshot: complete });
      return recoverAndProve(parts, answers, { volume, state, snapshot: complete, repeatsAttempts, rehearsal }, before);
    },
  };

  async function sourcesAnswered(): Promise<boolean> {
    for (;;) {
      if (isSuperseded()) return false;
      if (answers.isEnough(sources)) return true;
      await answers.next(sources);
    }
  }

  /** Reports the sources that were not waited for once all have answered. Nothing is done about them, as another one is live. */
  async function reportLateSources(): Promise<void> {
    if (sources.every(({ device }) => answers.get(device) !== undefined)) return;
    await answers.all(sources);
    if (parts.isStopped() || state.sourceText !== sourceText) return;
    reportSources(parts, answers, { volume, state, trigger, snapshot });
    parts.onSourcesChanged();
  }

  /** A snapshot in which all devices that matter have answered. */
  async function answeredSnapshot(): Promise<NodeSnapshot | undefined> {
    for (;;) {
      const recent = parts.snapshots.recent(state.actedAt);
      if (recent === undefined || isSuperseded()) return undefined;
      const lookUps = parts.lookUps.open(recent.lookUpsFor(volume));
      const questions = volumeQuestions(recent, volume, parts.liveness);
      if (lookUps.length === 0 && answers.isComplete(questions)) return recent;
      const all = [...questions.sources, ...questions.sites];
      answers.ask(all);
      // A source that has answered may end before the others answer.
      parts.onSourcesChanged();
      await (lookUps.length > 0 ? parts.lookUps.ask(lookUps) : answers.next(all));
    }
  }

  /** Lets another pass begin, unless one has superseded this one already. */
  function end(): undefined {
    if (state.pending === token) state.pending = undefined;
  }
}

function isUnchanged(
  answers: VolumeAnswers,
  fingerprint: VolumeFingerprint,
  state: VolumeState,
  now: Nanoseconds,
): boolean {
  const { snapshot, volume } = fingerprint;
  const active = snapshot.activeDevice(volume);
  const known = new Set(state.sources.map((each) => JSON.stringify(each)));
  const states = sourceStates(snapshot, volume, answers);
  return (
    !fingerprint.hasStaleMountAnywhere() &&
    state.unhealthy.length === 0 &&
    [...state.unproven.values()].every((site) => !isProofDue(site, now)) &&
    // A standby may answer later; what the pods see must have answered.
    state.sources.every((each) => each.state === 'live') &&
    (active === undefined || answers.get(active) !== undefined) &&
    states.every((each) => known.has(JSON.stringify(each)))
  );
}

/** Whether no source is live or may yet become so, which leaves nothing to do at any site. */
function isOutage(answers: VolumeAnswers, snapshot: NodeSnapshot, volume: Volume): boolean {
  return sourceStates(snapshot, volume, answers).every(({ state }) => state === 'dead' || state === 'absent');
}

function nothingDone(began: Nanoseconds): VolumePassResult {
  const none = 0n as Nanoseconds;
  return { began, applied: none, verified: none, actions: 0, skips: 0, replaced: [], needsRetry: false };
}

/** Remembers the states of the sources and reports those that have changed. */
function reportSources(
  { journal, clock, onSourceStates }: VolumePassParts,
  answers: VolumeAnswers,
  {
    volume,
    state,
    trigger,
    snapshot,
  }: Pick<RecoveryRequest, 'volume' | 'state' | 'snapshot'> & { readonly trigger: Trigger },
): void {
  const states = sourceStates(snapshot, volume, answers).filter(({ state: each }) => each !== 'unknown');
  const answered = new Set(states.map(({ path }) => path));
  const present = snapshot.sourcePaths(volume);
  // A source that could not be asked, or has not answered because another was enough, keeps its state.
  const kept = state.sources.filter(({ path }) => !answered.has(path) && present.includes(path));
  state.sources = [...states, ...kept];
  noteSources(state, state.sources, clock.now());
  const active = snapshot.activeDevice(volume);
  const hasStandby = snapshot.standbys(volume).paths.length > 0;
  for (const source of states) {
    const role = source.state !== 'absent' && source.device !== active ? 'standby' : 'active';
    const other = states.find((each) => each.state === 'live' && each.path !== source.path)?.path;
    const roles = { role, ...(other === undefined ? {} : { other }) } as const;
    const isKnown = hasStandby && active !== undefined;
    journal.noticed({ trigger, volume: volume.name, source, ...(isKnown ? roles : {}) });
  }
  journal.refusedStandbys(volume, snapshot.standbys(volume).refused);
  onSourceStates(volume, states);
}

async function recoverAndProve(
  parts: VolumePassParts,
  liveness: VolumeAnswers,
  request: RecoveryRequest,
  before: readonly SourceState[],
): Promise<VolumePassResult> {
  const { clock, snapshots } = parts;
  const recovery = recoverVolume(
    { ...parts, liveness, policy: parts.policy(), takeSnapshot: () => snapshots.scan('known') },
    request,
  );
  const recoveredAt = clock.now();
  reportFailover(parts, request.volume, { recovery, before, took: (recoveredAt - recovery.began) as Nanoseconds });
  if (recovery.replaced.length > 0) parts.onSourcesChanged();
  const proofParts = {
    ...parts,
    delay: parts.proofDelay,
    timeout: parts.proofTimeout,
    reportAfter: parts.readDeadline,
    retryDelay: parts.resyncPeriod,
    takeSnapshot: () => snapshots.recent(recoveredAt),
  };
  await prove(proofParts, request.state, recovery.snapshot, recovery.unproven);
  return { ...recovery, verified: (clock.now() - recoveredAt) as Nanoseconds };
}

/** Sites that showed one source and were given another one that had been live before have failed over. */
function reportFailover(
  { recorder }: Pick<VolumePassParts, 'recorder'>,
  volume: Volume,
  {
    recovery: { replaced },
    before,
    took,
  }: {
    readonly recovery: Pick<VolumeRecovery, 'replaced'>;
    /** The sources as of the previous pass. */
    readonly before: readonly SourceState[];
    readonly took: Nanoseconds;
  },
): void {
  const [first] = replaced;
  if (first === undefined) return;
  const earlier = (device: DeviceId | undefined) =>
    before.find((each) => each.state !== 'absent' && each.device === device);
  const from = earlier(first.diagnosis.stack.at(-1)?.device);
  const to = earlier(first.source.device);
  if (from === undefined || to?.state !== 'live') return;
  recorder({ event: 'failed-over', volume, from: from.path, to: to.path, sites: replaced.length, took });
}

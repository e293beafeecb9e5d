import type { Answers } from './answers.ts';
import { type Applied, apply, impossible } from './apply.ts';
import { answerOf, diagnose } from './diagnose.ts';
import type { Journal } from './journal.ts';
import { type Memory, markTried, type Unverified, type Unwell, wasTried } from './memory.ts';
import type { Action, Diagnosis, Nanoseconds, NodeView, Policy, Skip, Step, Trigger, Volume } from './model.ts';
import { type Look, questionsOf, viewOf } from './observe.ts';
import { isGone, siteKey } from './places.ts';
import { plan } from './plan.ts';
import type { ClockPort, KernelPort, Recorder, VolumeLocks } from './ports.ts';

export interface ActParts {
  readonly kernel: Pick<KernelPort, 'replaceAll'>;
  readonly locks: VolumeLocks;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly answers: Pick<Answers, 'known'>;
  readonly policy: Policy;
  /** Takes the tables anew; undefined where that fails. */
  readonly lookAgain: () => Look | undefined;
}

export interface Turn {
  readonly volume: Volume;
  readonly memory: Memory;
  readonly trigger: Trigger;
  readonly tables: Look;
}

export interface Acted {
  readonly began: Nanoseconds;
  readonly applied: Nanoseconds;
  readonly actions: number;
  readonly skips: number;
  readonly replaced: number;
  /** Places that show the source and still have to be read. */
  readonly unproven: readonly Unverified[];
  /** The view that the sites are read by. */
  readonly view: NodeView;
  /** The lock was held, or the table changed under the hand: to be tried again soon. */
  readonly again: boolean;
}

/**
 * The synchronous heart of a pass: diagnoses one volume whose sources have answered, plans, applies. Nothing waits between
 * the look at the tables and the last mount, so no two volumes and no two passes ever act at once.
 */
export function act(parts: ActParts, turn: Turn): Acted {
  const began = parts.clock.now();
  const { volume, memory, trigger } = turn;
  const replaced = new Map<string, Unverified>();
  const skips: Skip[] = [];
  let { tables } = turn;
  let applied = 0n;
  let actions = 0;
  let again = false;
  let view = viewOf(tables, [volume], parts.answers);
  let diagnoses = diagnose(view);

  // A second round where the table changed under the hand: what was healed by propagation then only has to be read.
  let moved: readonly Action[] = [];
  for (let round = 0; round < 2; round += 1) {
    const steps = plan(view, diagnoses, parts.policy);
    if (round === 0) skips.push(...steps.filter(isSkip));
    const due = steps.filter(isAction).filter((action) => !isWaiting(memory, trigger, action));
    const healed = moved.filter(({ diagnosis }) => isWellNow(diagnoses, diagnosis));
    for (const { diagnosis, source } of healed) replaced.set(siteKey(diagnosis.site), fresh(diagnosis, source, began));
    if (due.length === 0) break;

    const start = parts.clock.now();
    const outcomes = apply(parts, view, due);
    applied += parts.clock.now() - start;
    if (outcomes === undefined) {
      skips.push(...due.map((action) => locked(action.diagnosis)));
      again = true;
      break;
    }
    actions += due.length;
    memory.actedAt = parts.clock.now();
    const hasFailed = outcomes.some((one) => !one.outcome.ok);
    const anew = hasFailed ? parts.lookAgain() : tables;
    for (const one of outcomes) settle(one, anew);
    moved = outcomes.filter(isStale).map(({ action }) => action);
    if (moved.length === 0) break;
    // Another source than the one that was asked: the change itself starts the next pass.
    if (anew === undefined || isUnasked(parts, anew, volume)) {
      again = true;
      break;
    }
    again = round === 1;
    tables = anew;
    view = viewOf(tables, [volume], parts.answers);
    diagnoses = diagnose(view);
  }

  for (const skip of skips) parts.journal.skipped(skip);
  memory.unwell = unwellOf(view, diagnoses, skips, replaced);
  const unproven = provable(view, memory, diagnoses, replaced);
  parts.journal.keep(volume.name, [...memory.unwell, ...memory.unverified.values()].map(toSite));
  return {
    began,
    applied: applied as Nanoseconds,
    actions,
    skips: skips.length,
    replaced: replaced.size,
    unproven,
    view,
    again,
  };

  function settle({ action, outcome }: Applied, now: Look | undefined): void {
    const { diagnosis, source } = action;
    if (outcome.ok) {
      markTried(memory, action);
      replaced.set(siteKey(diagnosis.site), fresh(diagnosis, source, began));
      const { took, layers } = outcome.value;
      parts.recorder({ event: 'replaced', volume, site: diagnosis.site, took, layers });
      return;
    }
    if (outcome.failure.errno === 'ESTALE') return;
    // The pod went away under the hand: that is no failure of its recovery.
    if (now !== undefined && isGone(now, diagnosis.site)) return;
    markTried(memory, action);
    const skip = impossible(action, outcome.failure);
    if (skip !== undefined) {
      skips.push(skip);
      return;
    }
    parts.journal.failed(diagnosis, outcome.failure);
  }
}

const isSkip = (step: Step): step is Skip => step.kind === 'skip';
const isAction = (step: Step): step is Action => step.kind !== 'skip';
const isStale = ({ outcome }: Applied) => !outcome.ok && outcome.failure.errno === 'ESTALE';
const toSite = ({ diagnosis }: Unwell | Unverified) => diagnosis;

const fresh = (diagnosis: Diagnosis, source: Unverified['source'], began: Nanoseconds): Unverified => {
  return { diagnosis, source, began, proving: false };
};

/** What was tried once is not repeated because of what trying it changed; the resync, the cluster or a crash may repeat it. */
function isWaiting(memory: Memory, trigger: Trigger, action: Action): boolean {
  return (trigger === 'mount-table' || trigger === 'confirm') && wasTried(memory, action);
}

function isWellNow(diagnoses: readonly Diagnosis[], { site }: Diagnosis): boolean {
  const key = siteKey(site);
  return diagnoses.some((each) => each.state === 'healthy' && siteKey(each.site) === key);
}

function isUnasked({ answers }: ActParts, tables: Look, volume: Volume): boolean {
  return questionsOf(tables, volume, answers).sources.some(({ device }) => answers.known(device) === undefined);
}

function locked(diagnosis: Diagnosis): Skip {
  const detail = `volume ${diagnosis.volume.name} is being published or unpublished: ${diagnosis.site.path} follows as soon as that is over`;
  return { kind: 'skip', diagnosis, reason: 'locked-volume', detail };
}

function unwellOf(
  view: NodeView,
  diagnoses: readonly Diagnosis[],
  skips: readonly Skip[],
  replaced: ReadonlyMap<string, unknown>,
): readonly Unwell[] {
  const reasons = new Map(skips.map(({ diagnosis, reason }) => [siteKey(diagnosis.site), reason]));
  return diagnoses
    .filter((diagnosis) => isUnwell(view, diagnosis) && !replaced.has(siteKey(diagnosis.site)))
    .map((diagnosis) => {
      const reason = reasons.get(siteKey(diagnosis.site));
      return reason === undefined ? { diagnosis } : { diagnosis, reason };
    });
}

function isUnwell(view: NodeView, { state, volume, stack }: Diagnosis): boolean {
  if (state === 'healthy' || state === 'gone') return false;
  const top = stack.at(-1);
  return state !== 'orphaned' || top === undefined || answerOf(view, volume, top.device) !== 'ok';
}

/** The sites replaced now, and those replaced before whose read has failed and that still show the same source. */
function provable(
  view: NodeView,
  memory: Memory,
  diagnoses: readonly Diagnosis[],
  replaced: ReadonlyMap<string, Unverified>,
): readonly Unverified[] {
  for (const [key, one] of replaced) memory.unverified.set(key, one);
  const shown = new Map(diagnoses.map((each) => [siteKey(each.site), each]));
  for (const [key, { source }] of memory.unverified) {
    if (replaced.has(key)) continue;
    const now = shown.get(key);
    const kept = now?.state === 'healthy' && now.stack.at(-1)?.device === source.device;
    if (!kept || answerOf(view, now.volume, source.device) !== 'ok') memory.unverified.delete(key);
  }
  return [...memory.unverified.values()].filter(({ proving }) => !proving);
}

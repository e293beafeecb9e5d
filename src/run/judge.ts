import { isDeepStrictEqual } from 'node:util';
import { checks as allChecks, type CheckCatalogue } from '../checks/catalogue.ts';
import { groupBy } from '../timeline/group-by.ts';
import type { CheckRecord, HistoryEvent, Run, RunRecord, ScenarioRecord, StepRecord } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { deriveStatus, deriveVerdict, findStop, formatNotPassed, reasonOf } from '../timeline/verdict.ts';
import { version } from '../version.ts';

/** What became of a scenario, or of the run as a whole, when its checks ran again. */
export interface Rejudgement {
  readonly name: string;
  /** Differences from what was stored, one sentence each. */
  readonly differences: readonly string[];
  readonly judged: number;
  /** Checks whose stored conclusion was kept, each with the reason. */
  readonly kept: readonly string[];
}

export interface JudgedRun {
  /** The stored record if nothing differs. */
  readonly record: RunRecord;
  readonly rejudgements: readonly Rejudgement[];
}

/**
 * Runs the checks of a stored run again, each over the events that it saw then, and derives statuses and verdict anew. Checks that
 * judged what was read at that moment keep their conclusion. `history`: in the order of the file.
 */
export function judgeAgain({ record, history }: Run, now: Date, checks: CheckCatalogue = allChecks): JudgedRun {
  const byScenario = groupBy(history, ({ scenario }) => scenario);
  const scenarios = record.scenarios.map((stored) => judgeScenario(stored, byScenario.get(stored.id) ?? [], checks));
  const whole = (record.checks ?? []).map((stored) => judgeCheck(stored, [], checks));
  const rejudgements = [
    ...scenarios.map(({ rejudgement }) => rejudgement),
    ...(whole.length > 0 ? [summarize('the run as a whole', whole)] : []),
  ];
  if (rejudgements.every(({ differences }) => differences.length === 0)) return { record, rejudgements };
  const judged = {
    ...record,
    scenarios: scenarios.map(({ scenario }) => scenario),
    ...(record.checks && { checks: whole.map((each) => each.check) }),
    judgedAgain: { rekindle: version, at: now.toISOString() },
  };
  return { record: { ...judged, verdict: deriveVerdict(judged) }, rejudgements };
}

interface JudgedCheck {
  readonly check: CheckRecord;
  readonly difference?: string;
  readonly kept?: string;
}

function judgeCheck(stored: CheckRecord, events: readonly HistoryEvent[], checks: CheckCatalogue): JudgedCheck {
  const { name, inputs, events: seen } = stored;
  if (inputs === undefined) return { check: stored, kept: `“${name}” judged what was read at that moment` };
  const known = checks.get(name);
  if (known === undefined) return { check: stored, kept: `“${name}” is not a check of this version` };
  const judge = known as unknown as (...all: readonly unknown[]) => CheckRecord;
  const timeline = seen === undefined ? [] : [new Timeline(events.slice(0, seen))];
  const { verdict, says, claims } = tryJudging(stored, () => judge(...timeline, ...inputs));
  if (verdict === stored.verdict && says === stored.says) return { check: stored };
  const difference = `“${name}” was ${stored.verdict} (${stored.says}) and is ${verdict}: ${says}`;
  return { check: { ...stored, verdict, says, claims }, difference };
}

/** A check that cannot read the inputs of an earlier version concludes nothing. */
function tryJudging(stored: CheckRecord, judge: () => CheckRecord): CheckRecord {
  try {
    return judge();
  } catch (error) {
    return { ...stored, verdict: 'inconclusive', says: `its stored inputs cannot be judged: ${error}` };
  }
}

function judgeScenario(stored: ScenarioRecord, events: readonly HistoryEvent[], checks: CheckCatalogue) {
  const judged = stored.checks.map((check) => judgeCheck(check, events, checks));
  const { recoveries } = new Timeline(events);
  const summary = summarize(stored.name, judged);
  const moved = isDeepStrictEqual(toJson(recoveries), toJson(stored.recoveries))
    ? []
    : [`the phases of its recoveries differ from the ${stored.recoveries.length} that are stored`];
  const differences = [...summary.differences, ...moved];
  if (differences.length === 0) return { scenario: stored, rejudgement: summary };
  const own = judged.map(({ check }) => check);
  const steps = judgeSteps(stored.steps, own);
  const status = deriveStatus({ steps, checks: own });
  const { reason: _, ...kept } = stored;
  const renewed = { ...kept, steps, checks: own, recoveries, status };
  const scenario = status === 'pass' ? renewed : { ...renewed, reason: explain(stored, renewed) };
  const changed = status === stored.status ? [] : [`it was ${stored.status} and is ${status}`];
  return { scenario, rejudgement: { ...summary, differences: [...differences, ...changed] } };
}

/** A step that a check stopped has the check's new sentence. It passes if the check does and no later step was left out. */
function judgeSteps(steps: readonly StepRecord[], checks: readonly CheckRecord[]): readonly StepRecord[] {
  const stop = findStop(steps);
  if (stop?.cause !== 'check') return steps;
  const error = formatNotPassed(checks);
  const isLast = !steps.slice(steps.indexOf(stop)).some(({ status }) => status === 'skipped');
  const { error: _, cause, ...rest } = stop;
  const renewed: StepRecord =
    error === '' && isLast ? { ...rest, status: 'passed' } : { ...rest, cause, ...(error !== '' && { error }) };
  return steps.map((step) => (step === stop ? renewed : step));
}

function explain(
  stored: ScenarioRecord,
  { steps, checks, status }: Pick<ScenarioRecord, 'steps' | 'checks' | 'status'>,
) {
  const found = formatNotPassed(checks);
  if (found !== '') return found;
  if (findStop(steps)?.cause === 'check') return 'its checks pass now, but the steps after them were not run';
  return status === stored.status && stored.reason !== undefined
    ? stored.reason
    : reasonOf({ ...stored, steps, checks, status });
}

function summarize(name: string, all: readonly JudgedCheck[]): Rejudgement {
  const kept = all.flatMap((each) => each.kept ?? []);
  return { name, differences: all.flatMap((each) => each.difference ?? []), judged: all.length - kept.length, kept };
}

/** As it is stored: without what is undefined. */
const toJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

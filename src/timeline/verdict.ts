import type { CheckRecord, RunRecord, ScenarioRecord, ScenarioStatus, StepRecord, Verdict } from './record.ts';

type ScenarioResult = Pick<ScenarioRecord, 'steps' | 'checks'>;

/**
 * The status of a scenario. What an interruption broke off proves nothing; otherwise the worst check decides, then the step that
 * stopped it: an expectation that was not met is a failure, any other error is none of the implementation's.
 */
export function deriveStatus({ steps, checks }: ScenarioResult): ScenarioStatus {
  const stop = findStop(steps);
  const verdicts = checks.map(({ verdict }) => verdict);
  if (stop?.cause === 'interruption') return 'inconclusive';
  if (verdicts.includes('fail')) return 'fail';
  if (verdicts.includes('inconclusive')) return 'inconclusive';
  if (stop !== undefined) return stop.cause === 'expectation' ? 'fail' : 'inconclusive';
  return steps.some(({ status }) => status === 'skipped') ? 'skipped' : 'pass';
}

/** Whether a scenario did not pass because something was too slow, and for no other reason. */
export function isOnlyTooSlow({ status, checks }: Pick<ScenarioRecord, 'status' | 'checks'>): boolean {
  const open = checks.filter(({ verdict }) => verdict !== 'pass');
  return (status === 'fail' || status === 'inconclusive') && open.length > 0 && open.every((each) => each.isTooSlow);
}

/** The step at which a scenario stopped; undefined if it ran to its end or was skipped. */
export function findStop(steps: readonly StepRecord[]): StepRecord | undefined {
  return steps.find(({ status }) => status !== 'passed' && status !== 'skipped');
}

interface RunResult {
  readonly scenarios: readonly Pick<ScenarioRecord, 'status'>[];
  /** Checks of the run as a whole. */
  readonly checks?: readonly Pick<CheckRecord, 'verdict'>[];
  /** Failures of the harness itself: one sentence each. */
  readonly errors?: readonly string[];
  readonly interrupted?: boolean;
}

/** The verdict of a run: any failure fails it, and it passes only if something passed and nothing is left open. */
export function deriveVerdict({ scenarios, checks = [], errors = [], interrupted = false }: RunResult): Verdict {
  const verdicts = [...scenarios.map(({ status }) => status), ...checks.map(({ verdict }) => verdict)];
  if (verdicts.includes('fail')) return 'fail';
  if (interrupted || errors.length > 0 || verdicts.includes('inconclusive')) return 'inconclusive';
  return scenarios.some(({ status }) => status === 'pass') ? 'pass' : 'inconclusive';
}

/** How a record contradicts itself: a stored status or verdict is not the one that follows from what it holds. */
export function findContradiction(record: RunRecord): string | undefined {
  const { verdict: stored, scenarios } = record;
  for (const scenario of scenarios) {
    const status = deriveStatus(scenario);
    // A stop without a cause may have been any of the two.
    const isEither =
      findStop(scenario.steps)?.cause === undefined && ['fail', 'inconclusive'].includes(scenario.status);
    if (scenario.status !== status && !(isEither && status === 'inconclusive'))
      return `the scenario “${scenario.name}” is ${scenario.status}, but its steps and checks make it ${status}`;
  }
  const derived = deriveVerdict(record);
  if (stored === derived) return undefined;
  const counts = countStatuses(scenarios);
  const found = statuses.flatMap((status) => (counts[status] > 0 ? `${counts[status]} ${statusNames[status]}` : []));
  const broken = record.checks?.find(({ verdict }) => verdict !== 'pass');
  const check = broken === undefined ? '' : `, and the check “${broken.name}” is ${broken.verdict}`;
  return `its verdict is ${stored}, but its scenarios (${found.join(', ') || 'none'}${check}) make it ${derived}`;
}

/** The verdicts in English. */
export const verdictNames: Readonly<Record<Verdict, string>> = {
  pass: 'Conformant',
  fail: 'Not conformant',
  inconclusive: 'Inconclusive',
};

export const statusNames: Readonly<Record<ScenarioStatus, string>> = {
  pass: 'passed',
  fail: 'failed',
  inconclusive: 'inconclusive',
  skipped: 'skipped',
};

export const statuses: readonly ScenarioStatus[] = ['fail', 'inconclusive', 'pass', 'skipped'];

export function countStatuses(scenarios: readonly ScenarioRecord[]): Record<ScenarioStatus, number> {
  const counts = { pass: 0, fail: 0, inconclusive: 0, skipped: 0 };
  for (const { status } of scenarios) counts[status]++;
  return counts;
}

/** One sentence that explains the verdict: what failed and why, or what passed. */
export function explainVerdict(record: RunRecord): string {
  const { scenarios, verdict } = record;
  const counts = countStatuses(scenarios);
  const cut = record.interrupted ? ' The run was interrupted.' : '';
  const broken = record.checks?.find((check) => check.verdict === 'fail');
  if (broken) return `The run as a whole failed: ${broken.name}: ${toSentence(broken.says)}${cut}`;
  if (scenarios.length === 0) return `No scenario was run.${cut}`;
  if (verdict === 'fail' || verdict === 'inconclusive') {
    const open = scenarios.filter((scenario) => scenario.status === verdict);
    const [first] = open;
    if (first) {
      const more = open.length - 1;
      const others = more > 0 ? ` ${count(more, 'more scenario')} ${statusNames[verdict]}.` : '';
      return `“${first.name}” ${verdict === 'fail' ? 'failed' : 'is inconclusive'}: ${shorten(reasonOf(first))}${others}${cut}`;
    }
    const [error] = record.errors ?? [];
    return `No scenario is ${statusNames[verdict]}, but the run as a whole is${error === undefined ? '.' : `: ${toSentence(error)}`}${cut}`;
  }
  const skipped = counts.skipped > 0 ? `; ${count(counts.skipped, 'scenario')} could not run here` : '';
  return `${counts.pass === 1 ? 'The one scenario' : `All ${counts.pass} scenarios`} that could run here passed${skipped}.${cut}`;
}

/** Why a scenario did not pass: its own reason, else its first check that did not pass, else its first failed step. */
export function reasonOf(scenario: ScenarioRecord): string {
  const check = scenario.checks.find((one) => one.verdict !== 'pass');
  const step = scenario.steps.find((one) => one.status !== 'passed');
  const reason =
    scenario.reason ?? check?.says ?? step?.error?.split('\n')[0] ?? (step && `step “${step.text}” is ${step.status}`);
  return toSentence(reason ?? 'no reason was recorded');
}

/** The checks that did not pass, one a line with its sentence. */
export function formatNotPassed(checks: readonly CheckRecord[]): string {
  return checks.flatMap(({ verdict, name, says }) => (verdict === 'pass' ? [] : `${name}: ${says}`)).join('\n');
}

/** Longest reason in a summary; the scenario shows it in full. */
const longestReason = 240;

function shorten(text: string): string {
  if (text.length <= longestReason) return text;
  return `${text.slice(0, longestReason).replace(/[\s;,:]+\S*$/, '')} …`;
}

/** `1 scenario`, `2 scenarios`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

function toSentence(text: string): string {
  return /[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`;
}

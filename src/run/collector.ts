import type { Envelope, GherkinDocument, Pickle, PickleStep, TestStepResult } from '@cucumber/messages';
import { claimsFor } from '../claims.ts';
import type { ScenarioNotes } from '../scenario/session.ts';
import type { ScenarioRecord, ScenarioStatus, StepRecord } from '../timeline/record.ts';

export interface CollectorOptions {
  readonly notes: ReadonlyMap<string, ScenarioNotes>;
  /** Nanoseconds since the run began. */
  readonly now: () => number;
  /** Whether the run was interrupted; later failures prove nothing. */
  readonly isInterrupted: () => boolean;
}

/** Builds scenario records from Cucumber's messages. */
export class Collector {
  readonly scenarios: ScenarioRecord[] = [];
  /** Errors outside of any scenario, such as a feature that does not parse. */
  readonly errors: string[] = [];
  readonly #options: CollectorOptions;
  readonly #documents = new Map<string, GherkinDocument>();
  readonly #pickles = new Map<string, Pickle>();
  readonly #cases = new Map<
    string,
    { readonly pickle: Pickle; readonly steps: ReadonlyMap<string, string | undefined> }
  >();
  readonly #attempts = new Map<
    string,
    {
      readonly pickle: Pickle;
      readonly steps: ReadonlyMap<string, string | undefined>;
      readonly at: number;
      readonly done: StepRecord[];
      readonly results: TestStepResult[];
      setupFailed: boolean;
    }
  >();

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  take(message: Envelope): void {
    const {
      gherkinDocument,
      parseError,
      pickle,
      testCase,
      testCaseStarted,
      testStepFinished,
      testCaseFinished,
      testRunFinished,
    } = message;
    if (parseError) this.errors.push(`${parseError.source.uri}: ${parseError.message}`);
    if (gherkinDocument) this.#documents.set(gherkinDocument.uri ?? '', gherkinDocument);
    if (pickle) this.#pickles.set(pickle.id, pickle);
    if (testCase) {
      const known = this.#pickles.get(testCase.pickleId);
      if (known)
        this.#cases.set(testCase.id, {
          pickle: known,
          steps: new Map(testCase.testSteps.map(({ id, pickleStepId }) => [id, pickleStepId])),
        });
    }
    if (testCaseStarted) this.#start(testCaseStarted.id, testCaseStarted.testCaseId);
    if (testStepFinished)
      this.#step(testStepFinished.testCaseStartedId, testStepFinished.testStepId, testStepFinished.testStepResult);
    if (testCaseFinished) this.#finish(testCaseFinished.testCaseStartedId);
    if (testRunFinished?.exception?.message) this.errors.push(testRunFinished.exception.message);
  }

  #start(id: string, testCaseId: string): void {
    const testCase = this.#cases.get(testCaseId);
    if (!testCase) return;
    this.#attempts.set(id, { ...testCase, at: this.#options.now(), done: [], results: [], setupFailed: false });
  }

  #step(id: string, testStepId: string, result: TestStepResult): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    attempt.results.push(result);
    const pickleStep = attempt.pickle.steps.find((step) => step.id === attempt.steps.get(testStepId));
    if (isSetupFailure(attempt.done, pickleStep, result)) attempt.setupFailed = true;
    const tookNs = result.duration.seconds * 1e9 + result.duration.nanos;
    // Readers know a scenario's steps; a hook is shown only if it failed.
    if (!pickleStep && result.status !== 'FAILED') return;
    const step: StepRecord = {
      keyword: pickleStep ? this.#keywordOf(attempt.pickle, pickleStep.astNodeIds) : 'Hook',
      text: pickleStep?.text ?? 'before or after the scenario',
      status: statuses[result.status] ?? 'failed',
      at: this.#options.now() - tookNs,
      tookNs,
      ...(result.message && { error: firstLines(result.message) }),
    };
    attempt.done.push(step);
  }

  #finish(id: string): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    const { pickle, at, done, results, setupFailed } = attempt;
    const notes = this.#options.notes.get(pickle.id);
    const failed = done.find(({ status }) => status === 'failed' || status === 'undefined' || status === 'pending');
    const isCut = this.#options.isInterrupted() && failed !== undefined;
    const status = isCut ? 'inconclusive' : deriveStatus(results, { notes, setupFailed });
    const reason = isCut
      ? 'the run was interrupted'
      : (notes?.reason ?? (failed ? (failed.error ?? `${failed.status} step: ${failed.text}`) : undefined));
    const scenario: ScenarioRecord = {
      id: notes?.id ?? slug(pickle.name),
      ...this.#headOf(pickle),
      uri: pickle.uri,
      line: pickle.location?.line ?? 0,
      claims: claimsFor(pickle.tags.map(({ name }) => name)),
      status,
      ...(status !== 'pass' && reason !== undefined && { reason }),
      startedAt: notes?.startedAt ?? at,
      finishedAt: notes?.finishedAt ?? this.#options.now(),
      steps: done,
      checks: notes?.checks ?? [],
      recoveries: [],
      ...(notes?.mountLines && { mountLines: notes.mountLines }),
      ...(notes?.backoff && { backoff: notes.backoff }),
    };
    this.scenarios.push(scenario);
  }

  #headOf(pickle: Pickle): Pick<ScenarioRecord, 'feature' | 'name' | 'tags' | 'rule'> {
    const feature = this.#documents.get(pickle.uri)?.feature;
    const rule = feature?.children.find((child) =>
      child.rule?.children.some(({ scenario }) => scenario && pickle.astNodeIds.includes(scenario.id)),
    )?.rule;
    return {
      feature: feature?.name ?? pickle.uri,
      name: pickle.name,
      tags: pickle.tags.map(({ name }) => name),
      ...(rule && { rule: rule.name }),
    };
  }

  #keywordOf(pickle: Pickle, nodeIds: readonly string[]): string {
    const feature = this.#documents.get(pickle.uri)?.feature;
    const children = feature?.children.flatMap((child) => [child, ...(child.rule?.children ?? [])]) ?? [];
    const steps = children.flatMap(({ scenario, background }) => [
      ...(scenario?.steps ?? []),
      ...(background?.steps ?? []),
    ]);
    return steps.find(({ id }) => nodeIds.includes(id))?.keyword.trim() ?? '';
  }
}

const statuses: Readonly<Record<string, StepRecord['status']>> = {
  PASSED: 'passed',
  FAILED: 'failed',
  SKIPPED: 'skipped',
  UNDEFINED: 'undefined',
  AMBIGUOUS: 'failed',
  PENDING: 'pending',
  UNKNOWN: 'failed',
};

/**
 * Whether a failure says nothing about the subject: it happened before the first When, in a hook or a Given, and is no assertion
 * of the Given, but a timeout or an error of the harness or the machine.
 */
function isSetupFailure(done: readonly StepRecord[], step: PickleStep | undefined, result: TestStepResult): boolean {
  if (result.status !== 'FAILED' || result.exception?.type.startsWith('AssertionError')) return false;
  return step === undefined ? done.length === 0 : step.type === 'Context';
}

function deriveStatus(
  results: readonly TestStepResult[],
  { notes, setupFailed }: { readonly notes: ScenarioNotes | undefined; readonly setupFailed: boolean },
): ScenarioStatus {
  const all: ReadonlySet<string> = new Set(results.map(({ status }) => status));
  const bad = [...all].some((status) => status !== 'PASSED' && status !== 'SKIPPED');
  const verdicts = notes?.checks.map(({ verdict }) => verdict) ?? [];
  if (verdicts.includes('fail')) return 'fail';
  if (bad) return setupFailed || verdicts.includes('inconclusive') ? 'inconclusive' : 'fail';
  return all.has('SKIPPED') ? 'skipped' : 'pass';
}

/** Turns a scenario's name into an id for URLs and namespaces. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}

/** Cuts the stack off an error's message. */
function firstLines(message: string): string {
  return message
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .join('\n')
    .replace(/^Error: /, '')
    .trim();
}

import type { Envelope, Pickle, PickleStep, TestStepResult } from '@cucumber/messages';
import { PollTimeout } from '../../clusters/poll.ts';
import { claimsFor } from '../claims.ts';
import { type DocumentIndex, indexDocument } from '../gherkin.ts';
import { CheckNotPassed } from '../scenario/scenario.ts';
import type { ScenarioNotes } from '../scenario/session.ts';
import type { ScenarioRecord, StepRecord } from '../timeline/record.ts';
import { deriveStatus, findStop, formatNotPassed } from '../timeline/verdict.ts';

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
  readonly #documents = new Map<string, DocumentIndex>();
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
      /** How many checks of the scenario had been judged before the present step. */
      judged: number;
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
    if (gherkinDocument) this.#documents.set(gherkinDocument.uri ?? '', indexDocument(gherkinDocument));
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
    this.#attempts.set(id, { ...testCase, at: this.#options.now(), done: [], judged: 0 });
  }

  #step(id: string, testStepId: string, result: TestStepResult): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    const { pickle, done } = attempt;
    const checks = this.#options.notes.get(pickle.id)?.checks ?? [];
    const own = checks.slice(attempt.judged);
    attempt.judged = checks.length;
    const pickleStep = pickle.steps.find((step) => step.id === attempt.steps.get(testStepId));
    const tookNs = result.duration.seconds * 1e9 + result.duration.nanos;
    // Readers know a scenario's steps; a hook is shown only if it failed.
    if (!pickleStep && (result.status === 'PASSED' || result.status === 'SKIPPED')) return;
    const cause = this.#causeOf(result, pickleStep);
    const error = cause === 'check' ? formatNotPassed(own) : result.exception?.message?.trim();
    done.push({
      keyword: pickleStep ? (this.#indexOf(pickle).keywords.get(pickleStep.astNodeIds[0] ?? '') ?? '') : 'Hook',
      text: pickleStep?.text ?? 'before or after the scenario',
      status: statuses[result.status] ?? 'failed',
      at: this.#options.now() - tookNs,
      tookNs,
      ...(error && { error }),
      ...(cause && { cause }),
    });
  }

  #causeOf({ status, exception }: TestStepResult, step: PickleStep | undefined): StepRecord['cause'] {
    if (status === 'PASSED' || status === 'SKIPPED') return undefined;
    if (this.#options.isInterrupted()) return 'interruption';
    const type = exception?.type ?? '';
    if (type === CheckNotPassed.name) return 'check';
    if (type.startsWith('AssertionError')) return 'expectation';
    // Before the first When nothing has been done to the implementation yet.
    const isSetup = step?.type === 'Context' || step === undefined;
    return !isSetup && (type === PollTimeout.name || isRefusal(type, exception?.message)) ? 'expectation' : 'error';
  }

  #finish(id: string): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    const { pickle, at, done } = attempt;
    const heading = this.#indexOf(pickle).headings.get(pickle.astNodeIds[0] ?? '');
    const notes = this.#options.notes.get(pickle.id);
    const checks = notes?.checks ?? [];
    const status = deriveStatus({ steps: done, checks });
    const stop = findStop(done);
    const reason =
      stop?.cause === 'interruption'
        ? 'the run was interrupted'
        : (notes?.reason ?? (stop && (stop.error ?? `${stop.status} step: ${stop.text}`)));
    const scenario: ScenarioRecord = {
      id: notes?.id ?? slug(pickle.name),
      feature: heading?.feature ?? pickle.uri,
      ...(heading?.rule !== undefined && { rule: heading.rule }),
      name: pickle.name,
      tags: pickle.tags.map(({ name }) => name),
      uri: pickle.uri,
      line: pickle.location?.line ?? 0,
      claims: claimsFor(pickle.tags.map(({ name }) => name)),
      status,
      ...(status !== 'pass' && reason !== undefined && { reason }),
      startedAt: notes?.startedAt ?? at,
      finishedAt: notes?.finishedAt ?? this.#options.now(),
      steps: done,
      checks,
      recoveries: [],
      ...(notes?.mountLines && { mountLines: notes.mountLines }),
      ...(notes?.backoff && { backoff: notes.backoff }),
    };
    this.scenarios.push(scenario);
  }

  #indexOf({ uri }: Pickle): DocumentIndex {
    return this.#documents.get(uri) ?? indexDocument({ comments: [] });
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
 * Whether an error is a refusal of the API server or of a webhook, which is an answer of what is judged. A webhook that does not answer is
 * what is judged, too; the API server calls it an error of its own.
 */
function isRefusal(type: string, message = ''): boolean {
  return type === 'ApiException' && (/^HTTP-Code: 4/.test(message) || message.includes('failed calling webhook'));
}

/** Turns a scenario's name into an id for URLs and namespaces. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}

import type {
  Envelope,
  Feature,
  FeatureChild,
  Pickle,
  Scenario,
  Step,
  TestCase,
  TestStepResult,
  TestStepResultStatus,
} from '@cucumber/messages';
import { groupBy } from '../src/timeline/group-by.ts';
import type { RunRecord, ScenarioRecord, ScenarioStatus, StepRecord } from '../src/timeline/record.ts';
import { reasonOf } from '../src/timeline/verdict.ts';

/** Of `@cucumber/messages`, the version of the protocol that is written. */
const protocolVersion = '32.3.1';

/**
 * A run as Cucumber messages, one JSON object a line, so that Cucumber's own reporters can show it. The documents are those of
 * the scenarios that ran, as far as the record has them: examples are filled in, and a step's line is counted from its
 * scenario's. What a run cannot say by its steps (skipped before the first, inconclusive) is said by a hook.
 */
export function renderMessages(record: RunRecord): string {
  return envelopesOf(record)
    .map((envelope) => `${JSON.stringify(envelope)}\n`)
    .join('');
}

function* ids(): Generator<string> {
  for (let id = 0; ; id++) yield String(id);
}

const verdictHook = 'verdict';

function envelopesOf(record: RunRecord): Envelope[] {
  const next = ids();
  const newId = () => next.next().value as string;
  const base = Date.parse(record.startedAt) || 0;
  const runId = record.runId;
  const documents: Envelope[] = [];
  const cases: Envelope[] = [];
  const runs: Envelope[] = [];
  for (const [uri, scenarios] of groupBy(record.scenarios, (one) => one.uri || `${one.feature}.feature`)) {
    const written = scenarios.map((scenario) => writeScenario(scenario, newId));
    documents.push({
      gherkinDocument: { uri, feature: featureOf(scenarios, written, newId), comments: [] },
    });
    scenarios.forEach((scenario, i) => {
      const own = written[i];
      if (own === undefined) return;
      const pickle = pickleOf(scenario, own, uri, newId);
      const verdict = verdictStepOf(scenario);
      const testCase: TestCase = {
        id: newId(),
        pickleId: pickle.id,
        testRunStartedId: runId,
        testSteps: [
          ...(verdict === undefined ? [] : [{ id: newId(), hookId: verdictHook }]),
          ...pickle.steps.map((step) => ({ id: newId(), pickleStepId: step.id, stepDefinitionIds: [] })),
        ],
      };
      documents.push({ pickle });
      cases.push({ testCase });
      runs.push(...runOf({ scenario, testCase, verdict, base, id: newId() }));
    });
  }
  const { machine } = record;
  return [
    {
      meta: {
        protocolVersion,
        implementation: { name: 'rekindle', version: record.rekindle },
        runtime: { name: 'node.js', version: machine.node.replace(/^v/, '') },
        os: { name: machine.os, version: machine.kernel },
        cpu: { name: 'x64' },
      },
    },
    ...documents,
    { hook: { id: verdictHook, name: 'verdict', sourceReference: { uri: 'rekindle' } } },
    { testRunStarted: { id: runId, timestamp: timestampOf(base, 0) } },
    ...cases,
    ...runs,
    {
      testRunFinished: {
        testRunStartedId: runId,
        success: record.verdict === 'pass',
        timestamp: timestampOf(Date.parse(record.finishedAt) || base, 0),
      },
    },
  ];
}

type NewId = () => string;

function writeScenario({ line, name, tags, steps }: ScenarioRecord, newId: NewId): Scenario {
  return {
    id: newId(),
    location: { line, column: 3 },
    tags: tags.map((tag) => ({ id: newId(), name: tag, location: { line: Math.max(1, line - 1), column: 3 } })),
    keyword: 'Scenario',
    name,
    description: '',
    steps: steps.map(
      ({ keyword, text }, i): Step => ({
        id: newId(),
        location: { line: line + 1 + i, column: 5 },
        keyword: `${keyword.trim()} `,
        text,
      }),
    ),
    examples: [],
  };
}

function featureOf(scenarios: readonly ScenarioRecord[], written: readonly Scenario[], newId: NewId): Feature {
  const pairs = scenarios.flatMap((record, i) => (written[i] ? [{ record, scenario: written[i] }] : []));
  const children = [...groupBy(pairs, ({ record }) => record.rule)].flatMap(([rule, own]): FeatureChild[] => {
    const inside = own.map(({ scenario }) => ({ scenario }));
    if (rule === undefined) return inside;
    const line = Math.max(1, (own[0]?.record.line ?? 2) - 1);
    return [
      {
        rule: {
          id: newId(),
          location: { line, column: 3 },
          tags: [],
          keyword: 'Rule',
          name: rule,
          description: '',
          children: inside,
        },
      },
    ];
  });
  const name = scenarios[0]?.feature ?? '';
  return {
    location: { line: 1, column: 1 },
    tags: [],
    language: 'en',
    keyword: 'Feature',
    name,
    description: '',
    children,
  };
}

function pickleOf({ name }: ScenarioRecord, scenario: Scenario, uri: string, newId: NewId): Pickle {
  return {
    id: newId(),
    uri,
    name,
    language: 'en',
    location: scenario.location,
    astNodeIds: [scenario.id],
    tags: scenario.tags.map(({ id, name }) => ({ name, astNodeId: id })),
    steps: scenario.steps.map((step) => ({ id: newId(), text: step.text, astNodeIds: [step.id] })),
  };
}

const statuses: Readonly<Record<StepRecord['status'], string>> = {
  passed: 'PASSED',
  failed: 'FAILED',
  skipped: 'SKIPPED',
  undefined: 'UNDEFINED',
  pending: 'PENDING',
};
const shownAs: Readonly<Record<ScenarioStatus, string>> = {
  pass: 'PASSED',
  fail: 'FAILED',
  skipped: 'SKIPPED',
  inconclusive: 'PENDING',
};

/** The result of the hook that says what the steps do not; undefined where they say it. */
function verdictStepOf(scenario: ScenarioRecord): TestStepResult | undefined {
  const { status, steps } = scenario;
  if (status === 'pass') return undefined;
  if (status === 'fail' && steps.some((step) => step.status === 'failed')) return undefined;
  return {
    status: shownAs[status] as TestStepResultStatus,
    message: reasonOf(scenario),
    duration: { seconds: 0, nanos: 0 },
  };
}

interface CaseRun {
  readonly scenario: ScenarioRecord;
  readonly testCase: TestCase;
  readonly verdict: TestStepResult | undefined;
  /** Unix milliseconds of the run's beginning. */
  readonly base: number;
  readonly id: string;
}

function runOf({ scenario, testCase, verdict, base, id }: CaseRun): Envelope[] {
  const hooks = verdict === undefined ? [] : [{ at: scenario.startedAt, tookNs: 0, result: verdict }];
  const steps = scenario.steps.map(({ at, tookNs, status, error }) => ({
    at,
    tookNs,
    result: {
      status: statuses[status] as TestStepResultStatus,
      duration: durationOf(tookNs),
      ...(error === undefined ? {} : { message: error }),
    },
  }));
  return [
    { testCaseStarted: { id, attempt: 0, testCaseId: testCase.id, timestamp: timestampOf(base, scenario.startedAt) } },
    ...testCase.testSteps.flatMap(({ id: testStepId }, i): Envelope[] => {
      const done = [...hooks, ...steps][i];
      if (done === undefined) return [];
      const { at, tookNs, result } = done;
      const shared = { testCaseStartedId: id, testStepId };
      return [
        { testStepStarted: { ...shared, timestamp: timestampOf(base, at) } },
        { testStepFinished: { ...shared, testStepResult: result, timestamp: timestampOf(base, at + tookNs) } },
      ];
    }),
    {
      testCaseFinished: {
        testCaseStartedId: id,
        willBeRetried: false,
        timestamp: timestampOf(base, scenario.finishedAt),
      },
    },
  ];
}

function timestampOf(baseMs: number, ns: number) {
  return durationOf(baseMs * 1e6 + ns);
}

function durationOf(ns: number) {
  const seconds = Math.floor(ns / 1e9);
  return { seconds, nanos: Math.max(0, Math.min(999_999_999, Math.round(ns - seconds * 1e9))) };
}

import type { Envelope } from '@cucumber/messages';
import { describe, expect, it } from 'vitest';
import type { CheckRecord, ScenarioRecord } from '../timeline/record.ts';
import { Collector } from './collector.ts';

interface SampleStep {
  readonly type: 'Context' | 'Action' | 'Outcome' | 'hook';
  readonly status: string;
  readonly exception?: string;
  readonly message?: string;
}

const failed: CheckRecord = { name: 'x', claims: [], verdict: 'fail', says: 'y' };

const collect = (...scenario: Parameters<typeof record>) => record(...scenario)?.status;

/** Records a scenario with these steps; the checks are judged in its last one. */
function record(steps: readonly SampleStep[], checks: readonly CheckRecord[] = [], isInterrupted = false) {
  const notes = { id: 'sample', startedAt: 0, finishedAt: 1, checks: [] as CheckRecord[] };
  const collector = new Collector({
    notes: new Map([['pickle', notes]]),
    now: () => 1,
    isInterrupted: () => isInterrupted,
  });
  const isOwn = ({ type }: SampleStep) => type !== 'hook';
  const pickleSteps = steps.flatMap((step, index) =>
    isOwn(step) ? [{ id: `p${index}`, text: `step ${index}`, type: step.type, astNodeIds: [] }] : [],
  );
  const testSteps = steps.map((step, index) => ({
    id: `t${index}`,
    ...(isOwn(step) && { pickleStepId: `p${index}` }),
  }));
  const pickle = { id: 'pickle', name: 'a sample', uri: 'x.feature', tags: [], astNodeIds: [], steps: pickleSteps };
  const duration = { seconds: 0, nanos: 1 };
  const messages = [
    { pickle },
    { testCase: { id: 'case', pickleId: 'pickle', testSteps } },
    { testCaseStarted: { id: 'attempt', testCaseId: 'case' } },
    ...steps.map(({ status, exception, message }, index) => ({
      testStepFinished: {
        testCaseStartedId: 'attempt',
        testStepId: `t${index}`,
        testStepResult: { status, duration, ...(exception && { exception: { type: exception, message } }) },
      },
    })),
    { testCaseFinished: { testCaseStartedId: 'attempt' } },
  ];
  for (const message of messages) {
    if ('testStepFinished' in message && message.testStepFinished?.testStepId === `t${steps.length - 1}`)
      notes.checks.push(...checks);
    collector.take(message as unknown as Envelope);
  }
  return collector.scenarios[0];
}

const failing = (type: SampleStep['type'], exception = 'Error', message = 'no'): SampleStep => ({
  type,
  status: 'FAILED',
  exception,
  message,
});
const passing = (type: SampleStep['type']): SampleStep => ({ type, status: 'PASSED' });
const skipped = (type: SampleStep['type']): SampleStep => ({ type, status: 'SKIPPED' });

describe('a scenario whose setup fails', () => {
  it.each([
    ['is inconclusive if a Given times out', [failing('Context', 'PollTimeout'), skipped('Action')]],
    ['is inconclusive if the hook before it fails', [failing('hook'), skipped('Context'), skipped('Action')]],
  ])('%s', (_, steps) => {
    expect(collect(steps)).toBe('inconclusive');
  });

  it('fails if an assertion or a check of the Given fails', () => {
    expect(collect([failing('Context', 'AssertionError'), skipped('Action')])).toBe('fail');
    expect(collect([failing('Context', 'CheckNotPassed'), skipped('Action')], [failed])).toBe('fail');
  });
});

describe('a scenario whose setup is complete', () => {
  const before = [passing('Context'), passing('Action')];

  it.each(['Action', 'Outcome'] as const)('is inconclusive if the profile does not fit in an %s', (type) => {
    expect(collect([passing('Context'), failing(type, 'ProfileMisfit')])).toBe('inconclusive');
  });
  it.each<[string, ScenarioRecord['status'], readonly SampleStep[]]>([
    ['a wait in the When', 'fail', [passing('Context'), failing('Action', 'PollTimeout')]],
    [
      'a refusal by the API server',
      'fail',
      [passing('Context'), failing('Action', 'ApiException', 'HTTP-Code: 403 no')],
    ],
    ['an assertion of a Then', 'fail', [...before, failing('Outcome', 'AssertionError')]],
    ['a wait in a Then', 'fail', [...before, failing('Outcome', 'PollTimeout')]],
    [
      'a webhook that does not answer',
      'fail',
      [...before, failing('Outcome', 'ApiException', 'HTTP-Code: 500\nMessage: failed calling webhook "a": EOF')],
    ],
    ['an unreachable API server', 'inconclusive', [...before, failing('Outcome', 'ApiException', 'HTTP-Code: 500 no')]],
    ['a full disk in the When', 'inconclusive', [passing('Context'), failing('Action', 'Error')]],
    ['a mistake of ours in a Then', 'inconclusive', [...before, failing('Outcome', 'TypeError')]],
    ['a step without a definition', 'inconclusive', [...before, { type: 'Outcome', status: 'UNDEFINED' }]],
    ['the hook after it', 'inconclusive', [...before, passing('Outcome'), failing('hook')]],
  ])('that is stopped by %s is %s', (_, status, steps) => {
    expect(collect(steps)).toBe(status);
  });

  it('fails by a failed check, whatever stopped it', () => {
    expect(collect([...before, failing('Outcome', 'TypeError')], [failed])).toBe('fail');
  });

  it('has the sentences of its checks, whatever they look like', () => {
    const says = 'one\n    at the top\nError: two';
    const scenario = record([...before, failing('Outcome', 'CheckNotPassed')], [{ ...failed, says }]);
    expect(scenario).toMatchObject({ reason: `x: ${says}`, steps: [{}, {}, { cause: 'check', error: `x: ${says}` }] });
  });

  it('is inconclusive if the run was interrupted, whatever its checks found then', () => {
    const scenario = record([...before, failing('Outcome', 'CheckNotPassed')], [failed], true);
    expect(scenario).toMatchObject({ status: 'inconclusive', reason: 'the run was interrupted' });
  });
});

it('a feature that does not parse is an error of the run', () => {
  const collector = new Collector({ notes: new Map(), now: () => 1, isInterrupted: () => false });
  collector.take({ parseError: { source: { uri: 'a.feature' }, message: '(1:1): expected: #EOF' } });
  expect(collector.errors).toEqual(['a.feature: (1:1): expected: #EOF']);
});

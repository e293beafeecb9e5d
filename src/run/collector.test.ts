import type { Envelope } from '@cucumber/messages';
import { describe, expect, it } from 'vitest';
import { Collector } from './collector.ts';

interface SampleStep {
  readonly type: 'Context' | 'Action' | 'Outcome' | 'hook';
  readonly status: string;
  readonly exception?: string;
}

/** Records a scenario with these steps. */
function collect(
  steps: readonly SampleStep[],
  checks: readonly {
    readonly name: string;
    readonly claims: readonly string[];
    readonly verdict: 'fail';
    readonly says: string;
  }[] = [],
) {
  const notes = new Map([['pickle', { id: 'sample', startedAt: 0, finishedAt: 1, checks: [...checks] }]]);
  const collector = new Collector({ notes, now: () => 1, isInterrupted: () => false });
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
    ...steps.map(({ status, exception }, index) => ({
      testStepFinished: {
        testCaseStartedId: 'attempt',
        testStepId: `t${index}`,
        testStepResult: { status, duration, ...(exception && { exception: { type: exception }, message: exception }) },
      },
    })),
    { testCaseFinished: { testCaseStartedId: 'attempt' } },
  ];
  for (const message of messages) collector.take(message as unknown as Envelope);
  return collector.scenarios[0]?.status;
}

const failing = (type: SampleStep['type'], exception = 'Error'): SampleStep => ({ type, status: 'FAILED', exception });
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
    const check = { name: 'x', claims: [], verdict: 'fail', says: 'y' } as const;
    expect(collect([failing('Context'), skipped('Action')], [check])).toBe('fail');
  });
});

describe('a scenario whose setup is complete', () => {
  it.each([
    ['the When', [passing('Context'), failing('Action')]],
    ['a Then', [passing('Context'), passing('Action'), failing('Outcome', 'PollTimeout')]],
    ['the hook after it', [passing('Context'), passing('Action'), passing('Outcome'), failing('hook')]],
  ])('fails if %s fails', (_, steps) => {
    expect(collect(steps)).toBe('fail');
  });
});

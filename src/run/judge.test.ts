import { describe, expect, it } from 'vitest';
import { checks } from '../checks/catalogue.ts';
import { type Check, defineCheck, fail, recordCheck } from '../checks/check.ts';
import { readsAgain, seesNoEmptyDirectory } from '../checks/reads.ts';
import { beats, broken, consumer, fault } from '../checks/testing/sample-history.ts';
import type { CheckRecord, HistoryEvent, Run, ScenarioRecord, StepRecord } from '../timeline/record.ts';
import { sampleRun } from '../timeline/testing/sample-run.ts';
import { Timeline } from '../timeline/timeline.ts';
import { deriveStatus, deriveVerdict } from '../timeline/verdict.ts';
import { judgeAgain } from './judge.ts';

const now = new Date(0);
const sample = sampleRun({ operations: 1 });
const step = (status: StepRecord['status'], cause?: StepRecord['cause']): StepRecord => {
  return { keyword: 'Then', text: 'x', status, at: 0, tookNs: 0, ...(cause && { cause, error: 'as it was' }) };
};

interface Stored {
  readonly history?: readonly HistoryEvent[];
  readonly found: readonly CheckRecord[];
  readonly steps?: readonly StepRecord[];
}

/** A run with one scenario. */
function store({ history = broken(), found, steps = [step('passed')] }: Stored): Run {
  const [template] = sample.record.scenarios;
  const scenario: ScenarioRecord = {
    ...(template as ScenarioRecord),
    id: 'a',
    name: 'a scenario',
    steps,
    checks: found,
    status: deriveStatus({ steps, checks: found }),
    recoveries: new Timeline(history).recoveries,
  };
  const record = { ...sample.record, scenarios: [scenario], errors: [] };
  return {
    record: { ...record, verdict: deriveVerdict(record) },
    history: history.map((event) => ({ ...event, scenario: 'a' })),
  };
}

/** The catalogue with another check under the name of this one. */
const replacing = (check: Check<never>, by: Check) => new Map([...checks, [check.title.name, by]]);
/** It demands more good operations in a row than the history has. */
const stricter = defineCheck(readsAgain.title, (timeline: Timeline, who: typeof consumer) => {
  const { verdict, says } = readsAgain(timeline, who, 1000);
  return verdict === 'pass' ? { verdict, sentence: says } : fail(`stricter: ${says}`);
});
const seen = () => new Timeline(broken());

describe('a run that is judged again', () => {
  it('is the same if the checks are', () => {
    const run = store({ found: [readsAgain(seen(), consumer), seesNoEmptyDirectory(seen(), consumer)] });
    const { record, rejudgements } = judgeAgain(run, now);
    expect(rejudgements).toEqual([{ name: 'a scenario', differences: [], judged: 2, kept: [] }]);
    expect(record).toBe(run.record);
    expect(record.verdict).toBe('pass');
  });

  it('fails by a check that became stricter, and has its sentence', () => {
    const run = store({ found: [readsAgain(seen(), consumer), seesNoEmptyDirectory(seen(), consumer)] });
    const { record, rejudgements } = judgeAgain(run, now, replacing(readsAgain, stricter));
    expect(record).toMatchObject({ verdict: 'fail', judgedAgain: { at: now.toISOString() } });
    expect(record.scenarios[0]).toMatchObject({
      status: 'fail',
      reason: expect.stringMatching(/^the pod reads the files again: stricter: only 120 of 1000/),
      checks: [{ verdict: 'fail' }, { verdict: 'pass' }],
    });
    expect(rejudgements[0]?.differences).toEqual([
      expect.stringContaining('“the pod reads the files again” was pass'),
      'it was pass and is fail',
    ]);
  });

  it('gives a check the events that it saw, in their order of arrival, and no later ones', () => {
    const early = seen();
    const found = [readsAgain(early, consumer)];
    const later = [fault(2000), ...beats({ from: 2005, to: 2100, result: 'ENOTCONN', call: 'open' })];
    const late = { kind: 'note', at: 0, text: 'arrived late' } as const;
    const { rejudgements } = judgeAgain(store({ history: [...broken(), ...later, late], found }), now);
    expect(rejudgements[0]?.differences).toEqual([]);
    const cut = store({ history: [...broken(), ...later], found: [readsAgain(new Timeline(later), consumer)] });
    expect(judgeAgain(cut, now).rejudgements[0]?.differences).not.toEqual([]);
  });

  it('keeps what was judged by something other than the history, and checks that are unknown', () => {
    const live = recordCheck({ name: 'the API server refuses it', claims: [] }, fail('it did not'));
    const gone: CheckRecord = { name: 'of another version', claims: [], verdict: 'pass', says: 'y', inputs: [] };
    const { record, rejudgements } = judgeAgain(store({ found: [live, gone] }), now);
    expect(record.scenarios[0]?.checks).toEqual([live, gone]);
    expect(rejudgements[0]).toMatchObject({
      differences: [],
      judged: 0,
      kept: [expect.any(String), expect.any(String)],
    });
  });

  it('is inconclusive if a check cannot read its inputs', () => {
    const found = [{ ...readsAgain(seen(), consumer), inputs: [] }];
    const { record } = judgeAgain(store({ found }), now);
    expect(record).toMatchObject({ verdict: 'inconclusive', scenarios: [{ status: 'inconclusive' }] });
  });

  it('judges the checks of the whole run, too', () => {
    const run = store({ found: [] });
    const leak = {
      name: 'no output of the run holds the secret access key',
      claims: ['D1'],
      verdict: 'pass',
      says: '',
    };
    const checked = {
      ...run.record,
      checks: [{ ...leak, inputs: [{ files: 3, found: ['junit.xml'] }] } as CheckRecord],
    };
    const { record, rejudgements } = judgeAgain({ ...run, record: checked }, now);
    expect(record.verdict).toBe('fail');
    expect(rejudgements.map(({ name }) => name)).toEqual(['a scenario', 'the run as a whole']);
  });

  it('names recoveries that differ', () => {
    const run = store({ found: [] });
    const scenarios = run.record.scenarios.map((scenario) => ({ ...scenario, recoveries: [] }));
    const { record, rejudgements } = judgeAgain({ ...run, record: { ...run.record, scenarios } }, now);
    expect(rejudgements[0]?.differences).toEqual(['the phases of its recoveries differ from the 0 that are stored']);
    expect(record.scenarios[0]?.recoveries).toHaveLength(1);
  });
});

describe('a scenario that a check stopped', () => {
  const lenient = defineCheck(readsAgain.title, () => ({ verdict: 'pass', sentence: 'lenient' }) as const);
  const found = [{ ...readsAgain(seen(), consumer), verdict: 'fail' as const, says: 'too strict' }];

  it('passes if the check does and it was the last step', () => {
    const run = store({ found, steps: [step('passed'), step('failed', 'check')] });
    const { record } = judgeAgain(run, now, replacing(readsAgain, lenient));
    expect(record).toMatchObject({ verdict: 'pass', scenarios: [{ status: 'pass' }] });
    expect(record.scenarios[0]).not.toHaveProperty('reason');
    expect(record.scenarios[0]?.steps[1]).toEqual(step('passed'));
  });

  it('is inconclusive if steps after it were left out', () => {
    const run = store({ found, steps: [step('failed', 'check'), step('skipped')] });
    const { record } = judgeAgain(run, now, replacing(readsAgain, lenient));
    expect(record.scenarios[0]).toMatchObject({
      status: 'inconclusive',
      reason: 'its checks pass now, but the steps after them were not run',
    });
  });

  it('has the new sentence in its step', () => {
    const run = store({ found, steps: [step('failed', 'check'), step('skipped')] });
    const { record } = judgeAgain(run, now, replacing(readsAgain, stricter));
    expect(record.scenarios[0]?.steps[0]?.error).toMatch(/^the pod reads the files again: stricter/);
  });
});

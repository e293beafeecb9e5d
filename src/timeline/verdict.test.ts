import { describe, expect, it } from 'vitest';
import type { RunRecord, ScenarioRecord, ScenarioStatus, StepRecord, Verdict } from './record.ts';
import { sampleRun } from './testing/sample-run.ts';
import { deriveStatus, deriveVerdict, explainVerdict, findContradiction, isOnlyTooSlow, reasonOf } from './verdict.ts';

const { record } = sampleRun({ operations: 10 });
const passed = record.scenarios.filter((scenario) => scenario.status === 'pass');
const skipped = record.scenarios.filter((scenario) => scenario.status === 'skipped');
const explain = (over: Partial<typeof record>) => explainVerdict({ ...record, ...over });

describe('deriveVerdict', () => {
  type Row = [ScenarioStatus[], Verdict[], string[], Verdict];
  it.each<Row>([
    [['pass'], [], [], 'pass'],
    [['pass', 'pass', 'skipped'], ['pass'], [], 'pass'],
    [['pass', 'fail'], ['pass'], [], 'fail'],
    [['fail', 'inconclusive', 'skipped'], [], [], 'fail'],
    [['pass'], ['fail'], [], 'fail'],
    [[], ['fail'], [], 'fail'],
    [['fail'], [], ['a runner died'], 'fail'],
    [['pass', 'inconclusive'], [], [], 'inconclusive'],
    [['pass'], ['inconclusive'], [], 'inconclusive'],
    [['pass'], ['pass'], ['a runner died'], 'inconclusive'],
    [['skipped', 'skipped'], ['pass'], [], 'inconclusive'],
    [[], ['pass'], [], 'inconclusive'],
    [[], [], [], 'inconclusive'],
  ])('scenarios %j, checks %j and errors %j are %s', (scenarios, checks, errors, expected) => {
    const run = {
      scenarios: scenarios.map((status) => ({ status })),
      checks: checks.map((verdict) => ({ verdict })),
      errors,
    };
    expect(deriveVerdict(run)).toBe(expected);
    expect(deriveVerdict({ ...run, scenarios: run.scenarios.toReversed() })).toBe(expected);
  });
});

describe('isOnlyTooSlow', () => {
  const check = (verdict: Verdict, isTooSlow?: true) => {
    return { name: '', claims: [], says: '', verdict, ...(isTooSlow && { isTooSlow }) };
  };

  it.each([
    ['a missed budget', 'fail', [check('pass'), check('fail', true)], true],
    ['a budget that a busy machine cannot decide', 'inconclusive', [check('inconclusive', true)], true],
    ['a missed budget and something else', 'fail', [check('fail', true), check('fail')], false],
    ['a step without a check', 'fail', [check('pass')], false],
    ['nothing', 'pass', [check('pass')], false],
  ] as const)('%s makes a scenario %s: %#', (_, status, checks, expected) => {
    expect(isOnlyTooSlow({ status, checks })).toBe(expected);
  });
});

it('an interrupted run is inconclusive unless something failed', () => {
  expect(deriveVerdict({ scenarios: [{ status: 'pass' }], interrupted: true })).toBe('inconclusive');
  expect(deriveVerdict({ scenarios: [{ status: 'fail' }], interrupted: true })).toBe('fail');
});

describe('findContradiction', () => {
  const failed = record.scenarios.filter((scenario) => scenario.status === 'fail');
  const leak = { name: 'no leak', claims: [], verdict: 'fail', says: 'x' } as const;
  const open = { verdict: 'inconclusive', scenarios: passed } as const;
  const stopped = (cause?: StepRecord['cause']): StepRecord => {
    return { keyword: 'Then', text: 'x', status: 'failed', at: 0, tookNs: 0, ...(cause && { cause }) };
  };
  const changed = (status: ScenarioStatus, over: Partial<ScenarioRecord>): Partial<RunRecord> => {
    const verdict = status === 'fail' ? 'fail' : 'pass';
    return { verdict, scenarios: [...passed.slice(1), { ...(passed[0] as ScenarioRecord), status, ...over }] };
  };
  it.each<[string, Partial<RunRecord>, string | undefined]>([
    ['a pass with a failed scenario', { verdict: 'pass', scenarios: [...passed, ...failed] }, 'make it fail'],
    ['an inconclusive with a failed scenario', { verdict: 'inconclusive', scenarios: failed }, '1 failed'],
    ['a pass with a failed check', { verdict: 'pass', scenarios: passed, checks: [leak] }, '“no leak” is fail'],
    ['a pass of nothing', { verdict: 'pass', scenarios: skipped }, '2 skipped'],
    ['a pass without scenarios', { verdict: 'pass', scenarios: [] }, 'none'],
    ['a failure without one', { verdict: 'fail', scenarios: passed }, 'make it pass'],
    ['a pass', { verdict: 'pass', scenarios: passed }, undefined],
    ['a run that an error of ours left open', { ...open, errors: ['a runner died'] }, undefined],
    ['a run that was interrupted', { ...open, interrupted: true }, undefined],
    ['a run that nothing left open', open, 'make it pass'],
    [
      'a pass in spite of an error of ours',
      { verdict: 'pass', scenarios: passed, errors: ['x'] },
      'make it inconclusive',
    ],
    ['a passed scenario with a failed check', changed('pass', { checks: [leak] }), 'its steps and checks make it fail'],
    ['a passed scenario with a failed step', changed('pass', { steps: [stopped('expectation')] }), 'make it fail'],
    ['a skipped scenario without a skipped step', changed('skipped', {}), 'make it pass'],
    ['a failure by an error of ours', changed('fail', { steps: [stopped('error')] }), 'make it inconclusive'],
    ['a failure of unknown cause', changed('fail', { steps: [stopped()] }), undefined],
    ['a pass of unknown cause', changed('pass', { steps: [stopped()] }), 'make it inconclusive'],
  ])('%s', (_, over, expected) => {
    const found = findContradiction({ ...record, ...over });
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(expected);
  });
});

describe('deriveStatus', () => {
  const step = (status: StepRecord['status'], cause?: StepRecord['cause']): StepRecord => {
    return { keyword: 'Then', text: 'x', status, at: 0, tookNs: 0, ...(cause && { cause }) };
  };
  it.each<[readonly StepRecord[], Verdict[], ScenarioStatus]>([
    [[step('passed'), step('passed')], ['pass'], 'pass'],
    [[step('skipped'), step('skipped')], [], 'skipped'],
    [[step('failed', 'check'), step('skipped')], ['pass', 'fail'], 'fail'],
    [[step('failed', 'check'), step('skipped')], ['inconclusive'], 'inconclusive'],
    [[step('failed', 'check'), step('skipped')], ['pass'], 'inconclusive'],
    [[step('failed', 'expectation'), step('skipped')], ['pass'], 'fail'],
    [[step('failed', 'expectation')], ['inconclusive'], 'inconclusive'],
    [[step('failed', 'error')], ['pass'], 'inconclusive'],
    [[step('failed', 'error')], ['fail'], 'fail'],
    [[step('failed', 'interruption')], ['fail'], 'inconclusive'],
    [[step('undefined')], [], 'inconclusive'],
    [[step('pending')], [], 'inconclusive'],
    [[], ['fail'], 'fail'],
    [[step('passed')], ['inconclusive', 'fail'], 'fail'],
  ])('of %j with checks %j is %s', (steps, verdicts, status) => {
    const checks = verdicts.map((verdict) => ({ name: 'x', claims: [], verdict, says: '' }));
    expect(deriveStatus({ steps, checks })).toBe(status);
  });
});

describe('explainVerdict', () => {
  it('names the scenario that failed, why, and how many more', () => {
    expect(explain({})).toBe(
      '“three crashes leave the mount table as long as it was” failed: The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    );
    const failed = record.scenarios.filter((scenario) => scenario.status === 'fail');
    expect(explain({ scenarios: [...failed, ...failed, ...failed] })).toMatch(/ 2 more scenarios failed\.$/);
  });

  it('shortens a long reason', () => {
    const [failed] = record.scenarios.filter((scenario) => scenario.status === 'fail');
    const reason = `pod demo-app reads: not after 20.0 s; last seen: ${'read ENOTCONN, '.repeat(100)}end`;
    const says = explain({ scenarios: failed ? [{ ...failed, reason }, failed] : [] });
    expect(says).toMatch(/failed: pod demo-app reads: not after 20\.0 s; .*\w … 1 more scenario failed\.$/);
    expect(says.length).toBeLessThan(400);
  });

  it('counts what passed and what could not run', () => {
    expect(explain({ verdict: 'pass', scenarios: passed })).toBe('All 6 scenarios that could run here passed.');
    expect(explain({ verdict: 'pass', scenarios: [...passed, ...skipped] })).toBe(
      'All 6 scenarios that could run here passed; 2 scenarios could not run here.',
    );
  });

  it('mentions that a run was interrupted or empty', () => {
    expect(explain({ verdict: 'inconclusive', interrupted: true })).toMatch(/The run was interrupted\.$/);
    expect(explain({ scenarios: [] })).toBe('No scenario was run.');
  });
});

describe('reasonOf', () => {
  const bare: ScenarioRecord = { ...(passed[0] as ScenarioRecord), status: 'fail', checks: [], steps: [] };
  it.each<[string, Partial<ScenarioRecord>, string]>([
    ['its reason', { reason: 'it rained' }, 'it rained.'],
    ['a check', { checks: [{ name: 'a', claims: [], verdict: 'fail', says: '3 of 4.' }] }, '3 of 4.'],
    [
      'an error',
      { steps: [{ keyword: 'Then', text: 'x', status: 'failed', at: 0, tookNs: 0, error: 'Error: no\n  at y' }] },
      'Error: no.',
    ],
    [
      'a step without code',
      { steps: [{ keyword: 'Then', text: 'x', status: 'undefined', at: 0, tookNs: 0 }] },
      'step “x” is undefined.',
    ],
    ['nothing', {}, 'no reason was recorded.'],
  ])('is %s', (_, over, reason) => expect(reasonOf({ ...bare, ...over })).toBe(reason));
});

import { describe, expect, it } from 'vitest';
import type { RunRecord, ScenarioRecord, ScenarioStatus, Verdict } from './record.ts';
import { sampleRun } from './sample.ts';
import { deriveVerdict, explainVerdict, findContradiction, reasonOf } from './verdict.ts';

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

describe('findContradiction', () => {
  const failed = record.scenarios.filter((scenario) => scenario.status === 'fail');
  const leak = { name: 'no leak', claims: [], verdict: 'fail', says: 'x' } as const;
  it.each<[string, Partial<RunRecord>, string | undefined]>([
    ['a pass with a failed scenario', { verdict: 'pass', scenarios: [...passed, ...failed] }, 'make it fail'],
    ['an inconclusive with a failed scenario', { verdict: 'inconclusive', scenarios: failed }, '1 failed'],
    ['a pass with a failed check', { verdict: 'pass', scenarios: passed, checks: [leak] }, '“no leak” is fail'],
    ['a pass of nothing', { verdict: 'pass', scenarios: skipped }, '2 skipped'],
    ['a pass without scenarios', { verdict: 'pass', scenarios: [] }, 'none'],
    ['a failure without one', { verdict: 'fail', scenarios: passed }, 'make it pass'],
    ['a pass', { verdict: 'pass', scenarios: passed }, undefined],
    ['a run that an error of ours left open', { verdict: 'inconclusive', scenarios: passed }, undefined],
  ])('%s', (_, over, expected) => {
    const found = findContradiction({ ...record, ...over });
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(expected);
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

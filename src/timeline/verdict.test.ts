import { describe, expect, it } from 'vitest';
import type { ScenarioRecord } from './record.ts';
import { sampleRun } from './sample.ts';
import { explainVerdict, reasonOf } from './verdict.ts';

const { record } = sampleRun({ operations: 10 });
const passed = record.scenarios.filter((scenario) => scenario.status === 'pass');
const skipped = record.scenarios.filter((scenario) => scenario.status === 'skipped');
const explain = (over: Partial<typeof record>) => explainVerdict({ ...record, ...over });

describe('explainVerdict', () => {
  it('names the scenario that failed, why, and how many more', () => {
    expect(explain({})).toBe(
      '“three crashes leave the mount table as long as it was” failed: The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    );
    const failed = record.scenarios.filter((scenario) => scenario.status === 'fail');
    expect(explain({ scenarios: [...failed, ...failed, ...failed] })).toMatch(/ 2 more scenarios failed\.$/);
  });

  it('tells of a long reason as much as is read at a glance', () => {
    const [failed] = record.scenarios.filter((scenario) => scenario.status === 'fail');
    const reason = `pod demo-app reads: not after 20.0 s; last seen: ${'read ENOTCONN, '.repeat(100)}end`;
    const says = explain({ scenarios: failed ? [{ ...failed, reason }, failed] : [] });
    expect(says).toMatch(/failed: pod demo-app reads: not after 20\.0 s; .*\w … 1 more scenario failed\.$/);
    expect(says.length).toBeLessThan(400);
  });

  it('says what was shown where all passed, and what could not run', () => {
    expect(explain({ verdict: 'pass', scenarios: passed })).toBe('All 6 scenarios that could run here passed.');
    expect(explain({ verdict: 'pass', scenarios: [...passed, ...skipped] })).toBe(
      'All 6 scenarios that could run here passed; 2 scenarios could not run here.',
    );
  });

  it('says that a run was interrupted, or empty', () => {
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

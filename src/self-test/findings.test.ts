import { describe, expect, it } from 'vitest';
import type { CheckRecord, RunRecord, ScenarioRecord } from '../timeline/record.ts';
import { differences, findingsOf } from './findings.ts';

const check = (verdict: CheckRecord['verdict'], claims: readonly string[], name = 'a check'): CheckRecord => {
  return { name, claims, verdict, says: '' };
};
const scenario = (status: ScenarioRecord['status'], claims: readonly string[], checks: readonly CheckRecord[] = []) =>
  ({ name: claims.join(), status, claims, checks, steps: [], tags: ['@documented'] }) as unknown as ScenarioRecord;
const record = (...scenarios: readonly ScenarioRecord[]) => ({ scenarios }) as unknown as RunRecord;
const expected = { profile: 'x', scenarios: ['C3'], claims: ['C3'], checks: [] };

describe('what a run found', () => {
  it('is named by the checks that failed, not by all that their scenario is about', () => {
    const failed = scenario('fail', ['C1', 'C2', 'C3'], [check('fail', ['C3']), check('pass', ['C1'])]);
    expect(findingsOf(record(failed))).toEqual({ claims: ['C3'], checks: [] });
  });

  it('is named by the scenario if no check reached a verdict', () => {
    expect(findingsOf(record(scenario('fail', ['C3']))).claims).toEqual(['C3']);
  });

  it('is named by the check itself if that is about no claim', () => {
    const failed = scenario('fail', ['C3'], [check('fail', [], 'it grows')]);
    expect(findingsOf(record(failed))).toEqual({ claims: [], checks: ['it grows'] });
  });
});

describe('a faulty agent', () => {
  it('is detected if exactly its claim is named', () => {
    expect(differences(expected, record(scenario('fail', ['C3'])))).toEqual([]);
  });

  it('need not be found by the documented scenarios if what it breaks is off by default', () => {
    const ran = record({ ...scenario('fail', ['C3']), tags: [] });
    expect(differences({ ...expected, isOptional: true }, ran)).toEqual([]);
  });

  it('is not detected if a step stops no scenario that must', () => {
    const stopped = { ...scenario('fail', ['C3']), steps: [{ text: 'the pod reads', status: 'failed' }] };
    const ran = record(stopped as unknown as ScenarioRecord);
    expect(differences({ ...expected, thens: ['the pod reads'] }, ran)).toEqual([]);
    expect(differences({ ...expected, thens: ['all read'] }, ran)).toEqual(['“all read” stops no scenario']);
  });

  it.each([
    ['nothing is named', scenario('pass', ['C3']), ['the documented scenarios do not find it', 'C3 is not named']],
    [
      'its scenario reached no verdict',
      { ...scenario('inconclusive', ['C3']), reason: 'no pod' },
      ['"C3" is inconclusive: no pod', 'the documented scenarios do not find it', 'C3 is not named'],
    ],
    [
      'only a further scenario finds it',
      { ...scenario('fail', ['C3']), tags: [] },
      ['the documented scenarios do not find it'],
    ],
    [
      'something else is named, too',
      scenario('fail', ['C3'], [check('fail', ['C3', 'L2'])]),
      ['L2 is named, and is kept'],
    ],
    [
      'its scenario did not run',
      scenario('fail', ['C2']),
      ['"C3" did not run', 'C3 is not named', 'C2 is named, and is kept'],
    ],
  ])('is not detected if %s', (_, ran, says) => {
    expect(differences(expected, record(ran))).toEqual(says);
  });
});

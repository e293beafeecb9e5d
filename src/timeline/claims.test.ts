import { describe, expect, it } from 'vitest';
import { claims, judgeClaims, unexaminedClaims } from './claims.ts';
import type { ScenarioStatus } from './record.ts';
import { sampleRun } from './testing/sample-run.ts';

const [scenario] = sampleRun({ operations: 10 }).record.scenarios;
if (!scenario) throw new Error('the sample has no scenario');
const about = (status: ScenarioStatus, ...ids: string[]) => ({ ...scenario, status, claims: ids });

describe('judgeClaims', () => {
  it.each<[ScenarioStatus[], ScenarioStatus]>([
    [['pass', 'fail', 'skipped'], 'fail'],
    [['pass', 'inconclusive'], 'inconclusive'],
    [['pass', 'skipped'], 'pass'],
    [['skipped'], 'skipped'],
  ])('takes the worst of %j', (found, status) => {
    expect(judgeClaims(found.map((one) => about(one, 'C3')))).toMatchObject([{ id: 'C3', status }]);
  });

  it('refutes the claims of failed checks only, and takes the others of the scenario for not shown', () => {
    const check = (verdict: 'pass' | 'fail', name: string, ...ids: string[]) => ({
      name,
      claims: ids,
      verdict,
      says: '',
    });
    const grown = { ...about('fail', 'C1', 'C2'), checks: [check('pass', 'read', 'C2'), check('fail', 'mounts')] };
    const wrong = { ...about('fail', 'C2'), checks: [check('fail', 'errors', 'L1')] };
    expect(judgeClaims([grown, wrong]).map(({ id, status }) => [id, status])).toEqual([
      ['L1', 'fail'],
      ['C1', 'inconclusive'],
      ['C2', 'inconclusive'],
      ['other', 'fail'],
    ]);
    expect(judgeClaims([{ ...about('fail', 'C1'), checks: [] }])).toMatchObject([{ id: 'C1', status: 'fail' }]);
  });

  it('keeps the order of the document, unknown ids last', () => {
    const found = judgeClaims([about('pass', 'X1', 'V1'), about('pass', 'C1', 'P1')]);
    expect(found.map((one) => one.id)).toEqual(['P1', 'C1', 'V1', 'X1']);
    expect(found[3]).not.toHaveProperty('says');
  });

  it('lists the claims that no scenario examines', () => {
    const documented = Object.keys(claims).filter((id) => !/^[SF]/.test(id));
    expect(unexaminedClaims([about('skipped', 'C1')])).toEqual(documented.filter((id) => id !== 'C1'));
  });

  it('expects of no run that it examines what is off by default', () => {
    expect(unexaminedClaims([]).filter((id) => id.startsWith('S'))).toEqual([]);
  });
});

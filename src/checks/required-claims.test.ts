import { expect, it } from 'vitest';
import { judgesRequiredClaims, type RequiredClaims } from './required-claims.ts';

const scenarios: RequiredClaims['scenarios'] = [
  { name: 'a', claims: ['C3', 'L1'], status: 'pass' },
  { name: 'b', claims: ['L1', 'L2'], status: 'skipped', reason: 'the profile promises nothing' },
  { name: 'c', claims: ['L3'], status: 'fail' },
];

it.each([
  [['C3', 'L1'], 'pass', 'C3, L1: each was judged'],
  [['L3'], 'pass', 'L3: each was judged'],
  [['C3', 'L2'], 'fail', 'L2 was skipped: “b”: the profile promises nothing'],
  [['S1'], 'fail', 'no scenario of S1 was selected'],
])('%j: %s', (required, verdict, says) => {
  expect(judgesRequiredClaims({ required, scenarios })).toMatchObject({ verdict, says, claims: required });
});

import { expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/sample.ts';
import { renderAnnotations } from './annotations.ts';

const { record } = sampleRun({ operations: 60 });

it('points at the line of each scenario that failed or is inconclusive, with its reason', () => {
  expect(renderAnnotations(record)).toEqual([
    '::error file=crash-and-recovery.feature,line=12,title=C3 three crashes leave the mount table as long as it was::The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    '::warning file=limits.feature,line=12,title=L1 a daemon that does not answer is found out::One operation had not come back when the scenario ended, so it is not known how it would have ended.',
  ]);
});

it('keeps an annotation one line, and its parts apart, whatever a name holds', () => {
  const scenarios = record.scenarios.slice(2, 3).map((one) => ({ ...one, name: 'a: b, c%', reason: 'x::y\r\nz' }));
  expect(renderAnnotations({ scenarios })).toEqual([
    '::error file=crash-and-recovery.feature,line=12,title=C3 a%3A b%2C c%25::x::y%0D%0Az.',
  ]);
});

it('reports failures of the run as a whole', () => {
  const checks = [{ name: 'no secret', claims: [], verdict: 'fail', says: 'it is in report.md' } as const];
  expect(renderAnnotations({ scenarios: [], checks })).toEqual([
    '::error title=The run as a whole%3A no secret::it is in report.md',
  ]);
});

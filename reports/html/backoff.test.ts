import { expect, it } from 'vitest';
import type { BackoffRow } from '../../src/timeline/record.ts';
import { backoffTable } from '../backoff-table.ts';
import { render } from './markup.ts';
import { renderBackoff } from './scenario-charts.ts';

const row: BackoffRow = {
  crash: 2,
  ranMs: 5000,
  because: 'doubled',
  predictedMs: 10_000,
  observedMs: 12_300,
  waitingNs: 123e6,
  recoveryNs: 45e6,
};

it('predicted, observed and their difference stand side by side, with the outage split', () => {
  const { rows } = backoffTable([row, { crash: 3, ranMs: 1, because: 'capped', predictedMs: 300_000 }], 100);
  expect(rows).toEqual([
    ['2', '5.0 s', 'doubled', '10.0 s', '12.3 s', '+2.3 s', '123 ms', '45.0 ms'],
    ['3', '0.0 s', 'cap reached', '300.0 s', '', '', '', ''],
  ]);
});

it('an observed delay that is shorter has a minus', () => {
  const [cells] = backoffTable([{ ...row, observedMs: 9000 }], 1).rows;
  expect(cells?.[5]).toBe('−1.0 s');
});

it.each([
  [100, '100 s of it pass in each real second'],
  [1, 'Nothing is scaled.'],
])('the scale of the clock (%s) is said', (scale, says) => {
  expect(backoffTable([row], scale).caption).toContain(says);
  expect(render(renderBackoff([row], scale))).toContain(says);
});

import { expect, test } from 'vitest';
import { parseContainers } from './containers.ts';

test('only containers with the id of a run count', () => {
  const listed = [
    { Id: 'a1', Names: ['/store'], Labels: { 'rekindle.run-id': '20261122-134501-k3f9' } },
    { Id: 'b2', Names: ['/other'], Labels: { 'rekindle.run-id': 'mine' } },
    { Id: 'c3', Names: [], Labels: {} },
  ];
  expect(parseContainers(listed)).toEqual([{ id: 'a1', name: 'store', runId: '20261122-134501-k3f9' }]);
});

import { expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { keepsAcknowledgedWrites } from './acknowledged-writes.ts';

const crash: HistoryEvent = { kind: 'fault', at: 5, fault: 'sigkill', phase: 'injected', target: 'ns/pod' };
const acknowledged = (name: string, at: number, onFuse = true): HistoryEvent => ({
  kind: 'output',
  at,
  program: 'writer',
  stream: 'stdout',
  text: JSON.stringify({ event: 'acknowledged', name, onFuse }),
});
const judge = (found: readonly string[], ...history: readonly HistoryEvent[]) =>
  keepsAcknowledgedWrites(new Timeline(history), { writer: 'writer', found });

it('passes if every acknowledged file is there', () => {
  expect(judge(['a', 'b', 'c'], acknowledged('a', 1), crash, acknowledged('b', 9))).toMatchObject({
    verdict: 'pass',
    says: 'all 2 acknowledged files are there, 1 of them from before the crash',
  });
});

it.each([
  ['from before the crash', ['b'], '1 of 2 acknowledged files are lost; first, a'],
  ['from after it', ['a'], '1 of 2 acknowledged files are lost; first, b'],
])('fails if a file %s is lost', (_, found, says) => {
  expect(judge(found, acknowledged('a', 1), crash, acknowledged('b', 9))).toMatchObject({ verdict: 'fail', says });
});

it('fails if a file was written beneath the mount, even if it is found', () => {
  expect(judge(['a', 'b'], acknowledged('a', 1), crash, acknowledged('b', 9, false))).toMatchObject({
    verdict: 'fail',
    says: 'b was written beneath the mount',
  });
});

it('is inconclusive without a crash, or if nothing was written before it', () => {
  expect(judge([], acknowledged('a', 1)).verdict).toBe('inconclusive');
  expect(judge(['a'], crash, acknowledged('a', 9)).verdict).toBe('inconclusive');
});

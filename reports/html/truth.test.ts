import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/timeline/digest.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { ShownEvent } from './event-marks.ts';
import { isContradicted, trackTruth } from './truth.ts';

const base = { scenario: 's' };
const probe = (at: number, result: string, pod = 'app'): HistoryEvent => ({
  ...base,
  kind: 'probe',
  at,
  probe: `ns/${pod}/c:/data`,
  op: 'read',
  startedAt: at,
  finishedAt: at + 2,
  result,
});
const daemon = (at: number, change: 'exited' | 'ready'): HistoryEvent => ({
  ...base,
  kind: 'process',
  at,
  role: 'daemon',
  name: 'fuse',
  change,
});
const truthAt = (events: readonly HistoryEvent[], at: number) => trackTruth(digestOf(events).of('s'))(at);
const success: ShownEvent = {
  kind: 'event',
  at: 30,
  type: 'Normal',
  reason: 'FuseRecoverSucceed',
  message: 'container c of pod ns/app reads again',
  object: 'Pod ns/app',
  count: 1,
};

describe('truthTeller', () => {
  it('says what the pod last saw, and not what it was about to see', () => {
    const events = [probe(0, 'ok'), probe(10, 'ENOTCONN'), daemon(5, 'exited'), probe(20, 'ok'), daemon(18, 'ready')];
    expect(truthAt(events, 1).says).toBe('');
    expect(truthAt(events, 11).says).toBe('app reads · daemon gone');
    expect(truthAt(events, 13).says).toBe('app ENOTCONN · daemon gone');
    expect(truthAt(events, 40)).toMatchObject({ says: 'app reads · daemon ready', allRead: true });
  });

  it('says that a probe hangs while it hangs', () => {
    const hang = (at: number, over: boolean): HistoryEvent => ({
      ...base,
      kind: 'hang',
      at,
      probe: 'ns/app/c:/data',
      op: 'list',
      since: 1,
      over,
    });
    const events = [probe(0, 'ok'), hang(10, false), hang(20, true)];
    expect([truthAt(events, 15).says, truthAt(events, 25).says]).toEqual(['app hangs', 'app reads']);
  });

  it('counts pods if there are many', () => {
    const events = ['a', 'b', 'c'].map((pod) => probe(0, pod === 'b' ? 'EIO' : 'ok', pod));
    expect(truthAt(events, 5)).toMatchObject({ says: '2 of 3 pods read', failing: ['b'] });
  });
});

it('finds out who claims success while the pod of which it is claimed cannot read', () => {
  expect(isContradicted(success, truthAt([probe(0, 'ENOTCONN')], 30))).toBe(true);
  expect(isContradicted(success, truthAt([probe(0, 'ok')], 30))).toBe(false);
  expect(isContradicted(success, truthAt([probe(0, 'ENOTCONN', 'other')], 30))).toBe(false);
});

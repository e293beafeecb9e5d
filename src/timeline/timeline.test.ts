import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from './record.ts';
import { Timeline } from './timeline.ts';

const consumer = { namespace: 'default', pod: 'demo-app', container: 'demo', path: '/data' };
const probe = (at: number, result = 'ok'): HistoryEvent => ({
  kind: 'probe',
  at,
  probe: 'default/demo-app/demo:/data',
  op: 'read',
  startedAt: at,
  finishedAt: at + 5,
  result,
});
const fault = (at: number, phase: 'injected' | 'healed' = 'injected'): HistoryEvent => ({
  kind: 'fault',
  at,
  fault: 'sigkill',
  phase,
  target: 'fuse',
});

describe('a timeline', () => {
  it('orders events by time, whatever their order is', () => {
    const timeline = new Timeline([probe(30), fault(20), probe(10)]);
    expect(timeline.events.map(({ at }) => at)).toEqual([10, 20, 30]);
    expect(timeline.ofKind('probe').map(({ at }) => at)).toEqual([10, 30]);
  });

  it('holds the events of one scenario', () => {
    const events = [
      { ...probe(1), scenario: 'a' },
      { ...probe(2), scenario: 'b' },
    ];
    expect(Timeline.ofScenario(events, 'b').events).toEqual([events[1]]);
  });

  it('ends with the last operation that ended', () => {
    expect(new Timeline([]).end).toBe(0);
    expect(new Timeline([probe(10), fault(12)]).end).toBe(15);
    expect(new Timeline([probe(10), fault(20)]).end).toBe(20);
  });

  it('finds the crashes that a consumer observed, and nothing for a consumer without a probe', () => {
    const timeline = new Timeline([probe(1), fault(10), probe(20, 'ENOTCONN'), fault(30, 'healed'), probe(40)]);
    expect(timeline.observe(consumer).crashes).toMatchObject([{ from: 10, failures: [{ at: 20 }] }]);
    expect(timeline.observe({ ...consumer, path: '/other' })).toEqual({ operations: [], hangs: [], crashes: [] });
    expect(timeline.recoveries).toMatchObject([{ crash: 10, firstError: 25, readable: 45 }]);
  });

  it('derives everything once', () => {
    const timeline = new Timeline([probe(1), fault(10), probe(20, 'ENOTCONN')]);
    expect(timeline.observe(consumer)).toBe(timeline.observe(consumer));
    expect(timeline.successClaims(consumer)).toBe(timeline.successClaims(consumer));
    expect(timeline.recoveries).toBe(timeline.recoveries);
  });
});

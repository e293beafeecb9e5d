import { describe, expect, it } from 'vitest';
import { createHangWatch } from './hangs.ts';

const ms = 1e6;
const inFlight = { op: 'read', since: 0 } as const;
const hang = (at: number, over: boolean) => ({ kind: 'hang', at, probe: 'p', op: 'read', since: 0, over });
const ended = (finishedAt: number) => ({ at: 0, startedAt: 0, finishedAt, op: 'read', result: 'ok' }) as const;

describe('the watch over hangs', () => {
  it('reports no operation that takes less than 100 ms', () => {
    const hangs = createHangWatch('p');
    expect(hangs.watch(99 * ms, inFlight)).toEqual([]);
    expect(hangs.ended(ended(99 * ms))).toEqual([]);
    expect(hangs.watch(500 * ms, undefined)).toEqual([]);
  });

  it('says it once at 100 ms, then every second, and that it is over', () => {
    const hangs = createHangWatch('p');
    expect(hangs.watch(100 * ms, inFlight)).toEqual([hang(100 * ms, false)]);
    expect(hangs.watch(104 * ms, inFlight)).toEqual([]);
    expect(hangs.watch(1_099 * ms, inFlight)).toEqual([]);
    expect(hangs.watch(1_100 * ms, inFlight)).toEqual([hang(1_100 * ms, false)]);
    expect(hangs.ended(ended(1_300 * ms))).toEqual([hang(1_300 * ms, true)]);
  });

  it('reports the end of a hang that ended in time and was reported late', () => {
    const hangs = createHangWatch('p');
    hangs.watch(140 * ms, inFlight);
    expect(hangs.ended(ended(98 * ms))).toEqual([hang(98 * ms, true)]);
  });

  it('reports a hang that began and ended between two polls', () => {
    expect(createHangWatch('p').ended(ended(150 * ms))).toEqual([hang(100 * ms, false), hang(150 * ms, true)]);
  });

  it('says again at the end that the last operation has not come back', () => {
    const hangs = createHangWatch('p');
    hangs.watch(100 * ms, inFlight);
    expect(hangs.watch(150 * ms, inFlight, { last: true })).toEqual([hang(150 * ms, false)]);
  });
});

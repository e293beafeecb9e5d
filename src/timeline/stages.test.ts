import { describe, expect, it } from 'vitest';
import type { Recovery } from './record.ts';
import { stageNs, stages, summarizeStages, waterfallOf } from './stages.ts';

const recovery = (over: Partial<Recovery> = {}): Recovery => ({
  fault: 'sigkill',
  volume: 'v',
  pod: 'default/demo-app',
  crash: 1000,
  errors: {},
  longestStallNs: 0,
  probeRate: 200,
  ...over,
});
const outage = stages.find((stage) => stage.name === 'outage');

describe('stages', () => {
  it('has no duration if an end is missing', () => {
    expect(outage && stageNs(recovery(), outage)).toBeUndefined();
    expect(outage && stageNs(recovery({ readable: 1500 }), outage)).toBe(500);
  });

  it('never takes less than nothing', () => {
    const read = stages.find((stage) => stage.name === 'read');
    expect(read && stageNs(recovery({ replacedInPod: 1600, readable: 1500 }), read)).toBe(-100);
  });

  it('does not count from the return of a daemon that the pod did not wait for', () => {
    const own = stages.find((stage) => stage.name === 'ready-to-readable');
    const takes = (daemonReady: number) => own && stageNs(recovery({ readable: 1000 + 5e6, daemonReady }), own);
    expect(takes(1000 + 80e6)).toBeUndefined();
    expect(takes(1000 + 6e6)).toBe(-1e6);
  });

  it('gives median and worst of those that happened', () => {
    const all = [recovery({ readable: 1100 }), recovery({ readable: 1300 }), recovery({ readable: 1200 }), recovery()];
    expect(summarizeStages(all)).toEqual([{ stage: outage, count: 3, medianNs: 200, worstNs: 300 }]);
  });

  it('puts the moments of a waterfall in order of time', () => {
    const rows = waterfallOf(recovery({ readable: 1900, firstError: 1300, noticed: 1100, verified: 1950 }));
    expect(rows.map((row) => [row.moment, row.sinceBefore])).toEqual([
      ['crash', 0],
      ['noticed', 100],
      ['firstError', 200],
      ['readable', 600],
      ['verified', 50],
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { type Budget, judgeBudget, parseBudget } from './budget.ts';
import { sampleBench, sampleCrash, sampleSeries } from './testing/sample-bench.ts';

const budget = (text: string): Budget => {
  const parsed = parseBudget(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
};

describe('a budget', () => {
  it.each([
    ['p99=50ms', { phase: 'ready-to-readable', share: 0.99, limitMs: 50 }],
    ['outage.p50=1.5s', { phase: 'outage', share: 0.5, limitMs: 1500 }],
    ['last-pod.max=150ms', { phase: 'last-pod', share: 1, limitMs: 150 }],
    ['read.min=500us', { phase: 'read', share: 0, limitMs: 0.5 }],
  ])('is read: %s', (text, parsed) => {
    expect(parseBudget(text)).toEqual({ text, ...parsed });
  });

  it.each([
    ['50ms', 'expected [PHASE.]FIGURE=TIME'],
    ['p99=50', 'expected [PHASE.]FIGURE=TIME'],
    ['p95=50ms', 'no figure p95; expected one of min, p50, p90, p99, max'],
    ['lunch.p99=50ms', 'no phase lunch; expected one of first-error,'],
    ['p99=0ms', 'the time must be above 0'],
  ])('is refused with a sentence: %s', (text, says) => {
    expect(parseBudget(text)).toEqual({ problem: expect.stringContaining(says) });
  });

  it('is met if the value is within it, and missed if it is above', () => {
    const bench = sampleBench();
    expect(judgeBudget(budget('p99=6ms'), bench)).toMatchObject([{ series: 'agent', isMet: true }]);
    expect(judgeBudget(budget('p50=5ms'), bench)).toMatchObject([{ isMet: false }]);
  });

  it('is missed if the phase was not measured', () => {
    expect(judgeBudget(budget('last-pod.p50=1s'), sampleBench())).toMatchObject([{ valueMs: undefined, isMet: false }]);
  });

  it('is missed if a crash was not recovered', () => {
    const { readable: _, ...moments } = sampleCrash(2, 5).moments;
    const crashes = [sampleCrash(1, 5), { ...sampleCrash(2, 5), moments }];
    const bench = sampleBench({ series: [sampleSeries({ crashes })] });
    expect(judgeBudget(budget('max=1s'), bench)).toMatchObject([{ valueMs: Number.POSITIVE_INFINITY, isMet: false }]);
  });

  it('is missed by a series that ended early, and by an interrupted one', () => {
    const verdict = (stopped: string) =>
      judgeBudget(budget('max=1s'), sampleBench({ series: [sampleSeries({ stopped, asked: 21 })] }))[0]?.isMet;
    expect([verdict('broke: EPIPE'), verdict('interrupted')]).toEqual([false, false]);
  });

  it('is about the agent, not about what it is measured against', () => {
    const bench = sampleBench({ series: [sampleSeries(), sampleSeries({ id: 'poll', arm: 'poll' })] });
    expect(judgeBudget(budget('p99=6ms'), bench).map(({ series }) => series)).toEqual(['agent']);
  });
});

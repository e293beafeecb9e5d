import { describe, expect, it } from 'vitest';
import { type Budget, judgeBudget, parseBudget } from './budget.ts';
import { sampleBench, sampleCrash, sampleSeries } from './sample-bench.ts';

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
    ['50ms', 'accepted is [PHASE.]FIGURE=TIME'],
    ['p99=50', 'accepted is [PHASE.]FIGURE=TIME'],
    ['p95=50ms', 'no figure p95; accepted are min, p50, p90, p99, max'],
    ['lunch.p99=50ms', 'no phase lunch; accepted are first-error,'],
    ['p99=0ms', 'a time above 0 is accepted'],
  ])('is refused with a sentence: %s', (text, says) => {
    expect(parseBudget(text)).toEqual({ problem: expect.stringContaining(says) });
  });

  it('is kept where the figure is within it, and not where it is above', () => {
    const bench = sampleBench();
    expect(judgeBudget(budget('p99=6ms'), bench)).toMatchObject([{ series: 'agent', kept: true }]);
    expect(judgeBudget(budget('p50=5ms'), bench)).toMatchObject([{ kept: false }]);
  });

  it('is not kept by a phase that was not measured', () => {
    expect(judgeBudget(budget('last-pod.p50=1s'), sampleBench())).toMatchObject([{ is: undefined, kept: false }]);
  });

  it('is broken by a crash that nobody recovered', () => {
    const { readable: _, ...moments } = sampleCrash(2, 5).moments;
    const crashes = [sampleCrash(1, 5), { ...sampleCrash(2, 5), moments }];
    const bench = sampleBench({ series: [sampleSeries({ crashes })] });
    expect(judgeBudget(budget('max=1s'), bench)).toMatchObject([{ is: Number.POSITIVE_INFINITY, kept: false }]);
  });

  it('is about the agent, not about what it is measured against', () => {
    const bench = sampleBench({ series: [sampleSeries(), sampleSeries({ id: 'poll', arm: 'poll' })] });
    expect(judgeBudget(budget('p99=6ms'), bench).map(({ series }) => series)).toEqual(['agent']);
  });
});

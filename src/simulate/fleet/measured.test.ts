import { describe, expect, it } from 'vitest';
import { sampleBench, sampleSeries } from '../../../reports/bench/testing/sample-bench.ts';
import { Draws } from './draws.ts';
import { MeasuredPhases } from './measured.ts';
import { linearSeries } from './testing/sample-fleet.ts';

const bench = (...series: ReturnType<typeof linearSeries>[]) => new MeasuredPhases(sampleBench({ series }));
const last = (measured: MeasuredPhases, pods: number) => measured.readable(pods, 0.5).lastMs;

describe('the phases of a benchmark', () => {
  it('lie on a line between the numbers of pods that were measured', () => {
    const measured = bench(linearSeries(10, 6), linearSeries(100, 42), linearSeries(250, 60));
    expect([10, 55, 100, 175].map((pods) => last(measured, pods))).toEqual(
      [6, 24, 42, 51].map((ms) => expect.closeTo(ms)),
    );
  });

  it('continue beyond them along a line through all', () => {
    const measured = bench(linearSeries(10), linearSeries(100), linearSeries(250));
    expect(last(measured, 1000)).toBeCloseTo(402);
    expect(last(measured, 5)).toBeCloseTo(4);
    expect(last(bench(linearSeries(10, 6), linearSeries(100, 42), linearSeries(250, 60)), 1000)).toBeCloseTo(224.57);
    expect(last(bench(linearSeries(10), linearSeries(100)), 1000)).toBeCloseTo(402);
  });

  it('say nothing about more pods if only one number was measured', () => {
    expect(bench(linearSeries(10), linearSeries(10)).mostPods).toBe(10);
    expect(bench(linearSeries(1), linearSeries(10)).mostPods).toBe(Number.POSITIVE_INFINITY);
  });

  it('are the agent’s on the cluster itself: not of a baseline, a peer, or the sandbox beside a cluster', () => {
    const program = { command: './peer', files: [] };
    const others = [
      sampleSeries({ arm: 'poll' }),
      sampleSeries({ program }),
      sampleSeries({ fidelity: sampleBench().fidelity }),
    ];
    expect(bench(linearSeries(10), ...others).points.map(({ pods }) => pods)).toEqual([10]);
    expect(() => bench(...others)).toThrow('has no recovery by the agent');
  });

  it('count requests until the events of the last recovery are sent, and at rest those of the fewest pods', () => {
    const idle = (number: number) => ({ during: { 'create events': number }, overMs: 60_000 });
    const requests = (number: number) => ({
      during: { 'create events': 20, 'get datasets': 10 },
      crashes: 10,
      idle: idle(number),
    });
    const measured = bench(
      { ...linearSeries(1), apiRequests: requests(0) },
      { ...linearSeries(100), apiRequests: requests(100) },
    );
    expect(measured.apiCost(1)).toEqual({ requests: 3, events: 2 });
    expect(measured.apiCost(100)).toEqual({ requests: 13, events: 12 });
    expect(measured.restPerHour).toBe(0);
  });

  it('draw a start of the daemon between the quickest and the slowest that were measured', () => {
    const { crashes, ...series } = linearSeries(10);
    const started = crashes.map(({ moments, ...crash }, index) => ({
      ...crash,
      moments: { ...moments, daemonStarted: (100 - 10 * (index + 1)) * 1e6 },
    }));
    const measured = bench({ ...series, crashes: started });
    const draws = new Draws(1);
    const starts = Array.from({ length: 1000 }, () => measured.drawStart(draws));
    expect(Math.min(...starts)).toBeCloseTo(10, 0);
    expect(Math.max(...starts)).toBeCloseTo(50, 0);
  });
});

import { describe, expect, it } from 'vitest';
import { compareBenches, compareDefaults, comparePhase, compareSeries, minimumCrashes } from './compare.ts';
import { benchPhases, phaseSamples } from './phases.ts';
import type { BenchSeries } from './record.ts';
import { quantile, seededRandom, sortedCopy } from './statistics.ts';
import { recordedSeries } from './testing/recorded.ts';
import { sampleBench, sampleCrash, sampleSeries } from './testing/sample-bench.ts';

const [agentPart] = benchPhases.filter(({ name }) => name === 'ready-to-readable');
if (!agentPart) throw new Error('no such phase');
const tries = Array.from({ length: 20 }, (_, index) => index + 1);

/** A run as it might have come out on the same machine: each crash is one of those that were recorded. */
function another(series: BenchSeries | undefined, random: () => number, count = 200): BenchSeries {
  const { crashes = [] } = series ?? {};
  const drawn = Array.from({ length: count }, () => crashes[Math.floor(random() * crashes.length)]);
  return sampleSeries({ crashes: drawn.flatMap((crash) => crash ?? []) });
}

const later = (series: BenchSeries, byMs: number): BenchSeries => ({
  ...series,
  crashes: series.crashes.map(({ moments: { readable = 0, ...moments }, ...crash }) => ({
    ...crash,
    moments: { ...moments, readable: readable + byMs * 1e6 },
  })),
});

const compare = (before: BenchSeries, after: BenchSeries) => compareSeries(before, after, compareDefaults);

/** On a machine under load 20 ms are no relevant difference. */
const quietSeries = recordedSeries.filter(
  ({ crashes }) => quantile(sortedCopy(phaseSamples(crashes, agentPart)), 0.5) < 5,
);

describe.each(tries)('runs that were drawn from the same recorded run, try %i', (seed) => {
  const random = seededRandom(seed);
  const run = recordedSeries[seed % recordedSeries.length];

  it.each([minimumCrashes, 50, 200])('are neither worse nor better after %i crashes', (count) => {
    expect(['same', 'cannot tell']).toContain(
      compare(another(run, random, count), another(run, random, count)).verdict,
    );
  });

  it('are worse and better if the agent takes 20 ms longer', () => {
    const quiet = quietSeries[seed % quietSeries.length];
    const [fast, slow] = [another(quiet, random), later(another(quiet, random), 20)];
    const verdict = (before: BenchSeries, after: BenchSeries) =>
      compare(before, after).phases.find(({ phase }) => phase === agentPart)?.verdict;
    expect([verdict(fast, slow), verdict(slow, fast)]).toEqual(['worse', 'better']);
  });
});

describe('recorded runs of the same code, from different hours', () => {
  const pairs = recordedSeries.flatMap((before, i) =>
    recordedSeries.flatMap((after, j) => (i === j ? [] : [[i, j, before, after] as const])),
  );
  it.each(pairs)('are not worse: %i and %i', (_, __, before, after) => {
    const { verdict, because } = compare(before, after);
    expect(verdict, because).not.toBe('worse');
  });
});

describe('a phase', () => {
  const steady = Array.from({ length: 200 }, (_, index) => 5 + (index % 10) / 10);
  const judge = (before: readonly number[], after: readonly number[], factors = { p50: 1, p90: 1 }) =>
    comparePhase(agentPart, [before, after], compareDefaults, factors).verdict;

  it('is worse if one crash in five suffers', () => {
    const some = steady.map((sample, index) => sample + (index % 5 === 0 ? 50 : 0));
    expect(judge(steady, some)).toBe('worse');
  });

  it('is the same if the difference does not matter', () => {
    const little = steady.map((sample) => sample + 0.2);
    expect(judge(steady, little)).toBe('same');
  });

  it('is judged by shares of the reference, so half a millisecond can matter', () => {
    const quick = steady.map((sample) => sample / 10);
    expect(
      judge(
        quick,
        quick.map((sample) => sample + 0.5),
      ),
    ).toBe('worse');
  });

  it('is not worse if the machine has become slower by as much', () => {
    const slower = steady.map((sample) => sample * 1.4);
    expect(judge(steady, slower)).toBe('worse');
    expect(judge(steady, slower, { p50: 1.4, p90: 1.4 })).toBe('cannot tell');
    expect(judge(slower, steady, { p50: 1 / 1.4, p90: 1 / 1.4 })).toBe('cannot tell');
  });

  it('cannot be judged if the machine was another altogether', () => {
    const much = steady.map((sample) => sample * 10);
    expect(judge(steady, much, { p50: 2, p90: 2 })).toBe('cannot tell');
    expect(judge(steady, much, { p50: 1.4, p90: 2 })).toBe('worse');
  });

  it('cannot be judged after a handful of crashes, with a wide spread, or if its times are negative', () => {
    const few = steady.slice(0, minimumCrashes - 1);
    expect(
      judge(
        few,
        few.map((sample) => sample + 100),
      ),
    ).toBe('cannot tell');
    const wide = Array.from({ length: 12 }, (_, index) => index * 40);
    expect(judge(wide, wide)).toBe('cannot tell');
    expect(
      judge(
        steady,
        steady.map((sample, index) => (index % 4 === 0 ? -0.1 : sample)),
      ),
    ).toBe('cannot tell');
  });
});

describe('a series is worse', () => {
  const crashes = Array.from({ length: 20 }, (_, index) => sampleCrash(index + 1, 5 + (index % 5) / 100));
  const before = sampleSeries({ crashes });
  const change = (changes: Partial<(typeof crashes)[number]>, of = 20) =>
    crashes.map((crash, index) => (index < of ? { ...crash, ...changes } : crash));

  it('if operations fail in a takeover, even as on a dead mount', () => {
    const takeover = (errors: Readonly<Record<string, number>>) =>
      sampleSeries({ id: 'takeover', arm: 'takeover', crashes: change({ errors }) });
    const { verdict, because } = compare(takeover({}), takeover({ ENOTCONN: 1 }));
    expect(`${verdict}: ${because}`).toBe('worse: ENOTCONN after 20 of 20 crashes; before, 0');
  });

  it('never if nothing has changed', () => {
    expect(compare(before, before).verdict).toBe('same');
  });

  it.each([
    [
      'if it ended early',
      { stopped: 'broke: EPIPE', crashes: crashes.slice(0, 15) },
      'worse: ended early: broke: EPIPE',
    ],
    [
      'if the mount table grows',
      { mountLines: { before: 105, after: 106 } },
      'worse: 1 more mount lines at the end; before, 0',
    ],
    [
      'if other errors are seen than those of a dead mount',
      { crashes: change({ errors: { ENOTCONN: 9, ENOENT: 1 } }, 12) },
      'worse: ENOENT after 12 of 20 crashes; before, 0',
    ],
    [
      'if operations stall',
      { crashes: change({ longestStallNs: 9e9 }, 12) },
      'worse: stalls of 1000 ms after 12 of 20 crashes; before, 0',
    ],
    [
      'if a sibling of the pod did not read again',
      { crashes: change({ podsLost: 1 }, 1) },
      'worse: after 1 of 20 crashes the pod did not read again; before, 0 of 20',
    ],
    ['but not if a dead mount answers otherwise', { crashes: change({ errors: { ECONNABORTED: 1 } }) }, 'same: '],
    ['but not for a single stall', { crashes: change({ longestStallNs: 9e9 }, 1) }, 'same: '],
  ])('%s', (_, changed, expected) => {
    const { verdict, because } = compare(before, sampleSeries({ crashes, ...changed }));
    expect(`${verdict}: ${because}`).toContain(expected);
  });

  it('by no latency if half of the earlier crashes stalled the probe, but if the later ones did', () => {
    const slower = crashes.map(({ crash }) => sampleCrash(crash, 50 + (crash % 5) / 100));
    const stalled = (all: typeof crashes) => all.map((crash) => ({ ...crash, longestStallNs: 60e6 }));
    const verdictOf = (first: typeof crashes, second: typeof crashes) =>
      compare(sampleSeries({ crashes: first }), sampleSeries({ crashes: second }));
    expect(verdictOf(stalled(crashes), stalled(slower))).toMatchObject({
      verdict: 'cannot tell',
      because: 'the machine of the earlier run was busy: half of the crashes stalled the probe for 60.0 ms',
    });
    expect(verdictOf(crashes, stalled(slower)).verdict).toBe('worse');
  });

  it('if its agent is held to a CPU limit and has become slower, although the machine has not', () => {
    const conditions = { ...before.conditions, agentCpuMillis: 200 };
    const [held, slower] = [5, 9].map((agentMs) =>
      sampleSeries({
        conditions,
        crashes: crashes.map(({ crash }) => sampleCrash(crash, agentMs + (crash % 5) / 100)),
      }),
    );
    const verdicts = [held, slower].map((after) => held && after && compare(held, after).verdict);
    expect(verdicts).toEqual(['same', 'worse']);
  });

  it('if the later run lacks it, unless that was interrupted', () => {
    const [earlier, series] = [sampleBench(), sampleSeries({ id: 'pods=10/agent' })];
    const verdict = (interrupted: boolean) =>
      compareBenches(earlier, sampleBench({ series: [series], interrupted })).map((each) => each.verdict);
    expect([verdict(false), verdict(true)]).toEqual([['worse'], ['cannot tell']]);
  });

  it('not by times below zero, which nobody can compare', () => {
    const { daemonReady: _, ...moments } = sampleCrash(1, 5).moments;
    const disagreeing = sampleSeries({ crashes: change({ moments: { ...moments, daemonReady: 206e6 } }, 3) });
    const { verdict, because } = compare(before, disagreeing);
    expect(verdict).toBe('cannot tell');
    expect(because).toContain(
      'the clocks disagree: "daemon restarted → first good read" is negative after 3 of 20 crashes, by up to 1.00 ms',
    );
  });
});

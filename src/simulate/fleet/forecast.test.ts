import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Means, yearMs } from './fleet-file.ts';
import { forecastAll, measuredExactly, sampleFleet } from './testing/sample-fleet.ts';

/** Durations that are always the same. */
const always = (text: string) => `{ median: ${text}, p99: ${text} }`;
const start = `daemon: { start: ${always('2s')} }`;

function forecast(means: Means, lines: readonly string[], { seed = 1, agentMs = 1000 } = {}) {
  const fleet = sampleFleet([...lines, `compare: [${means}]`]);
  const [result] = forecastAll({ fleet, measured: measuredExactly(agentMs), seed }).means;
  if (result === undefined) throw new Error('a forecast without means');
  return result;
}

/** Within four standard errors of a number of independent crashes. */
const closeTo = (expected: number, crashes: number) => [
  expected * (1 - 4 / Math.sqrt(crashes)),
  expected * (1 + 4 / Math.sqrt(crashes)),
];

function expectBetween(value: number, [low = 0, high = 0]: readonly number[]): void {
  expect(value).toBeGreaterThan(low);
  expect(value).toBeLessThan(high);
}

describe('closed forms', () => {
  const crashes = 'causes: { crash: { perDaemonYear: 20 } }';

  it('with Poisson crashes and outages of 3 s, a pod is unavailable for rate × 3 s', () => {
    const result = forecast('ordinary', [crashes, start]);
    expectBetween(result.unavailability, closeTo((20 * 3000) / yearMs, 50 * 20));
    expect(result.outagesMs.p50).toBeCloseTo(3000, -2);
    // A crash within ten minutes of another waits, which is rare.
    expect(result.outagesMs.max).toBeLessThan(14_000);
  });

  it('with nothing, a pod is dead for λ / (λ + μ) of the time', () => {
    const result = forecast('nothing', [crashes, 'pods: { replacedAfter: 10d }', start]);
    const [crashRate, replaceRate] = [20 / 365, 1 / 10];
    // The forecast begins with pods that read, which matters for the first days.
    const share = crashRate / (crashRate + replaceRate);
    const warmUp = 1 - (share === 0 ? 0 : 1 / ((crashRate + replaceRate) * 365));
    expectBetween(result.unavailability, closeTo(share * warmUp, 50 * 10));
  });

  it('with nothing and pods that stay, all are dead from the first crash to the end', () => {
    const stays = 'pods: { replacedAfter: 100000d }';
    const { unavailability, outagesMs } = forecast('nothing', [crashes, 'days: 36.5', stays, start]);
    // A tenth of a year with two crashes on average, of which the first one counts.
    expectBetween(unavailability, closeTo(1 - (1 - Math.exp(-2)) / 2, 400));
    expect(outagesMs.unfinished).toBe(outagesMs.count);
  });

  it('with a plain poll, the outage is longer by half a period on average', () => {
    const [poll, ordinary] = (['poll', 'ordinary'] as const).map((means) =>
      forecast(means, [crashes, start, 'poll: { period: 8s }']),
    );
    const mean = (result: typeof poll) => ((result?.downtimeMs.mean ?? 0) * 100) / (result?.outagesMs.count ?? 1);
    expectBetween(mean(poll) - mean(ordinary), [3700, 4300]);
  });

  it('with restarted pods, an outage is the notice and the new pod, or the daemon if that is later', () => {
    const quick = forecast('restart', [crashes, start, `restart: { noticed: 30s, takes: ${always('15s')} }`]);
    expect(quick.outagesMs.p50).toBeCloseTo(45_000, -3);
    const late = forecast('restart', [
      crashes,
      `daemon: { start: ${always('60s')} }`,
      `restart: { noticed: 30s, takes: ${always('15s')} }`,
    ]);
    expect(late.outagesMs.p50).toBeCloseTo(60_000, -3);
  });

  it('with a standby, an outage is the failover, or the restart if both daemons are away', () => {
    const result = forecast('standby', [crashes, start, `standby: { outage: ${always('4ms')} }`]);
    expect(result.outagesMs.p9999).toBeLessThan(4.5);
    // Of 50 daemons away for a day each time, both are away for many hours.
    const both = forecast('standby', [
      crashes,
      `daemon: { start: ${always('1d')} }`,
      `standby: { outage: ${always('4ms')} }`,
    ]);
    const away = 20 / (20 + 365);
    expectBetween(both.unavailability, [0.7 * away * away, 1.3 * away * away]);
  });

  it('with a takeover, calls wait until the deadline and fail after it', () => {
    const loop = 'causes: { crashLoop: { perDaemonYear: 1, crashes: 3, runsFor: 5s } }';
    const takeover = `takeover: { outage: ${always('10ms')}, deadline: 15s }`;
    const { count, stalls } = forecast('takeover', [loop, start, takeover]).outagesMs;
    // The third crash of each loop waits for 20 s and the start.
    expect(stalls / count).toBeCloseTo(2 / 3, 1);
    const waiting = forecast('takeover', [loop, start, `${takeover.slice(0, -1)}, waitingSuccessor: true }`]);
    expect(waiting.outagesMs.stalls).toBe(waiting.outagesMs.count);
    expect(waiting.outagesMs.p99).toBeCloseTo(10, 0);
  });

  it('in a crash loop, each wait of the kubelet is an outage of its own if pods read between crashes', () => {
    const loop = 'causes: { crashLoop: { perDaemonYear: 1, crashes: 4, runsFor: 5s } }';
    const { count, max, p50 } = forecast('ordinary', [loop, start]).outagesMs;
    expect(count % 8).toBe(0);
    expect(p50).toBeCloseTo(13_000, -2);
    expect(max).toBeCloseTo(43_000, -2);
  });

  it('outages of pods that never read between crashes are one outage', () => {
    const loop = 'causes: { crashLoop: { perDaemonYear: 1, crashes: 4, runsFor: 500ms } }';
    const { p50 } = forecast('ordinary', [loop, start]).outagesMs;
    // 0 + 10 + 20 + 40 s, four starts of 2 s, three short runs, and the agent's second.
    expect(p50 / 1000).toBeCloseTo(70 + 8 + 1.5 + 1, 0);
  });

  it('a hang lasts until the daemon is ended, and longer', () => {
    const hang = 'causes: { hang: { perDaemonYear: 5, endsAfter: 1m } }';
    expect(forecast('ordinary', [hang, start]).outagesMs.p50).toBeCloseTo(63_000, -3);
    expect(forecast('standby', [hang, start, `standby: { outage: ${always('4ms')} }`]).outagesMs.p50).toBeCloseTo(
      60_004,
      -3,
    );
  });

  it('a node upgrade is no outage, and replaces dead pods', () => {
    const drain = 'nodeUpgrade: { perYear: 12, nodesAtOnce: 100, takes: 10m }';
    expect(forecast('ordinary', [`causes: { ${drain} }`, start]).outagesMs.count).toBe(0);
    const never = 'pods: { replacedAfter: 100000d }';
    const dead = forecast('nothing', [`causes: { crash: { perDaemonYear: 1 }, ${drain} }`, start, never]);
    expect(dead.outagesMs.max).toBeLessThan(yearMs / 12 + 1);
  });
});

describe('the API server', () => {
  it('gets the requests of each replaced pod, and the same sum as there are outages', () => {
    const result = forecast('restart', [
      'causes: { crash: { perDaemonYear: 5 } }',
      start,
      'restart: { requests: 10, events: 4 }',
    ]);
    const recovered = result.outagesMs.count - result.outagesMs.unfinished;
    expect(result.api.requests.total).toBe(10 * recovered);
    expect(result.api.events.total).toBe(4 * recovered);
  });

  it('has a busiest second of each week, and most seconds without a request', () => {
    const { api } = forecast('poll', ['causes: { crash: { perDaemonYear: 5 } }', start, 'poll: { requests: 3 }']);
    expect(api.requests.busiest).toHaveLength(53);
    expect(Math.max(...api.requests.busiest)).toBe(api.requests.max);
    expect(api.requests.p50).toBe(0);
    expect(api.requests.max).toBeGreaterThanOrEqual(6);
  });
});

describe('a forecast', () => {
  const causes =
    'causes: { crash: { perDaemonYear: 30 }, oom: { perDaemonYear: 10 }, hang: { perDaemonYear: 3, endsAfter: 2m }, crashLoop: { perDaemonYear: 3, crashes: 6, runsFor: 1s }, nodeUpgrade: { perYear: 6, nodesAtOnce: 10, takes: 10m } }';
  const fewNodes = (compare = '') => ({ ...sampleFleet([causes, start, compare]), nodes: 5 });
  const all = (seed: number) => forecastAll({ fleet: fewNodes(), measured: measuredExactly(20), seed });

  it('is the same for the same seed, and another for another seed', () => {
    expect(JSON.stringify(all(7))).toBe(JSON.stringify(all(7)));
    expect(JSON.stringify(all(8))).not.toBe(JSON.stringify(all(7)));
  });

  it('meets the same crashes with every means, alone or among others', () => {
    const [alone] = forecastAll({
      fleet: fewNodes('compare: [standby]'),
      measured: measuredExactly(20),
      seed: 7,
    }).means;
    expect(all(7).means.find(({ name }) => name === 'standby')).toEqual(alone);
  });

  it('adds up the outages of a pod', () => {
    const fleet = { ...sampleFleet([causes, start, 'compare: [ordinary]']), nodes: 1, podsPerNode: 1 };
    const [result] = forecastAll({ fleet, measured: measuredExactly(20), seed: 7 }).means;
    expect(result?.outagesMs.count).toBeGreaterThan(10);
    expect(result?.downtimeMs.max).toBeCloseTo(result?.downtimeMs.mean ?? 0, 3);
  });

  it('attributes all downtime to causes, and never has more of it than time', () => {
    const rate = fc.integer({ min: 0, max: 2000 });
    fc.assert(
      fc.property(rate, rate, fc.nat(), (crash, loop, seed) => {
        const given = `causes: { crash: { perDaemonYear: ${crash} }, crashLoop: { perDaemonYear: ${loop}, crashes: 4, runsFor: 3s } }`;
        const fleet = sampleFleet([given, start, 'days: 2']);
        const { means, ends } = forecastAll({ fleet: { ...fleet, nodes: 3 }, measured: measuredExactly(50), seed });
        expect(means).toHaveLength(6);
        for (const { downtimeMs, outagesMs, unavailability } of means) {
          const sum = Object.values(downtimeMs.meanByCause).reduce((a, b) => a + b, 0);
          expect(sum).toBeCloseTo(downtimeMs.mean, 3);
          expect(unavailability).toBeGreaterThanOrEqual(0);
          expect(unavailability).toBeLessThanOrEqual(1);
          expect(outagesMs.unfinished).toBeLessThanOrEqual(6);
          expect(outagesMs.max).toBeLessThanOrEqual(2 * 86_400_000);
          const shares = outagesMs.longer.map(([, share]) => share);
          expect(shares).toEqual(shares.toSorted((a, b) => b - a));
        }
        // Two pods of each daemon, one outage each at most for each of its ends.
        const mostOutages = 2 * Object.values(ends).reduce((a, b) => a + b, 0);
        for (const { name, outagesMs } of means)
          if (name !== 'standby') expect(outagesMs.count).toBeLessThanOrEqual(mostOutages);
      }),
      { numRuns: 25 },
    );
  });
});

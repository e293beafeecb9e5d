import { type FleetRecord, fleetSchema, type MeansForecast } from '../record.ts';

/** A means after which all outages last between half and twice this duration. */
export function sampleMeans(name: string, title: string, outageMs: number): MeansForecast {
  const spread = {
    p50: outageMs,
    p90: outageMs * 1.2,
    p99: outageMs * 1.5,
    p999: outageMs * 1.8,
    p9999: outageMs * 1.9,
  };
  const outages = { ...spread, max: outageMs * 2 };
  const yearly = Object.fromEntries(Object.entries(outages).map(([key, ms]) => [key, 10 * ms])) as typeof outages;
  const rate = { p50: 0, p90: 0, p99: 1, p999: 5, p9999: 50, max: 1234, total: 5000, busiest: [4, 1234, 8, 0] };
  return {
    name,
    title,
    outagesMs: {
      ...outages,
      count: 1000,
      stalls: name === 'takeover' ? 910 : 0,
      unfinished: 0,
      longer: [0.5, 1, 1.5, 2].map((factor, index) => [outageMs * factor, [1, 0.5, 0.01, 0][index] ?? 0] as const),
    },
    unavailability: (10 * outageMs) / (365 * 86_400_000),
    downtimeMs: { ...yearly, mean: 10 * outageMs, meanByCause: { crash: 7 * outageMs, oom: 3 * outageMs, hang: 0 } },
    api: { restPerSecond: 0, requests: rate, events: { ...rate, max: 600 } },
    node: { memoryBytes: 100 * 2 ** 20, cpuMsPerYear: 9000 },
  };
}

/** A forecast for tests. */
export function sampleForecast(change: Partial<FleetRecord> = {}): FleetRecord {
  return {
    schema: fleetSchema,
    runId: '20260101-000000-abcd',
    rekindle: '0.1.0',
    seed: 7,
    file: 'fleet.yaml',
    fleet: { nodes: 1000, podsPerNode: 20, datasetsPerNode: 2, days: 365, input: {} },
    sources: [{ figure: "the daemon's start", source: 'the fleet file' }],
    ends: { crash: 14_000, oom: 6000, hang: 0 },
    means: [
      sampleMeans('nothing', 'nothing', 4e8),
      sampleMeans('ordinary', "Rekindle's agent", 3000),
      sampleMeans('standby', 'a standby daemon', 4),
      sampleMeans('takeover', 'takeover after a restart', 2900),
    ],
    cost: { seconds: 12.3, cpuSeconds: 11.2, peakBytes: 600 * 2 ** 20 },
    ...change,
  };
}

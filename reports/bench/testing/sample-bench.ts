import { benchPhases } from '../phases.ts';
import { type BenchCrash, type BenchRecord, type BenchSeries, benchSchema } from '../record.ts';

/** A crash after which all went well, in milliseconds; `agentMs`: from the daemon's restart to the first good read. */
export function sampleCrash(crash: number, agentMs: number, daemonMs = 200): BenchCrash {
  const at = (milliseconds: number) => milliseconds * 1e6;
  return {
    crash,
    pod: 'rk-bench-1/demo-app',
    moments: {
      firstError: at(2),
      noticed: at(3),
      daemonReady: at(daemonMs),
      mountVisible: at(daemonMs - 1),
      replacedOnNode: at(daemonMs + agentMs / 2),
      replacedInPod: at(daemonMs + agentMs / 2),
      readable: at(daemonMs + agentMs),
      steady: at(daemonMs + agentMs + 10),
      verified: at(daemonMs + agentMs + 1),
    },
    errors: { ENOTCONN: 200 },
    late: 3,
    longestStallNs: at(12),
  };
}

export function sampleSeries(change: Partial<BenchSeries> = {}): BenchSeries {
  return {
    id: 'agent',
    arm: 'agent',
    title: "Rekindle's agent",
    conditions: { fault: 'sigkill', pods: 1, datasets: 1, rate: 1000, pacingMs: 50 },
    warmUp: 3,
    asked: 20,
    deadlineMs: 30_000,
    crashes: Array.from({ length: 20 }, (_, index) => sampleCrash(index + 1, 5 + (index % 5) / 10)),
    mountLines: { before: 105, after: 105 },
    ...change,
  };
}

/** A benchmark for tests. */
export function sampleBench(change: Partial<BenchRecord> = {}): BenchRecord {
  return {
    schema: benchSchema,
    runId: '20260101-000000-abcd',
    rekindle: '0.1.0',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    seed: 1,
    cluster: 'sandbox',
    fidelity: { place: 'sandbox', parts: [{ part: 'kernel FUSE', is: 'real', fake: false }], clockScale: 100_000 },
    machine: { kernel: '6.8.0', os: 'Linux', cpus: 2, memoryBytes: 8 * 2 ** 30, node: 'v24.0.0', root: true },
    interrupted: false,
    phases: benchPhases.map(({ name }) => name),
    series: [sampleSeries()],
    ...change,
  };
}

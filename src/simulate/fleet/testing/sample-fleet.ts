import { sampleBench, sampleCrash, sampleSeries } from '../../../../reports/bench/testing/sample-bench.ts';
import { parseFleet } from '../fleet-file.ts';
import { type Forecast, type ForecastOptions, forecastFleet } from '../forecast.ts';
import { MeasuredPhases } from '../measured.ts';

/** A benchmark in which each pod reads exactly `agentMs` after the daemon is ready, which starts within no time. */
export function measuredExactly(agentMs: number): MeasuredPhases {
  const { moments, ...crash } = sampleCrash(1, agentMs);
  const daemonStarted = moments.daemonReady ?? 0;
  const crashes = [1, 2].map((number) => ({ ...crash, crash: number, moments: { ...moments, daemonStarted } }));
  const point = (pods: number) =>
    sampleSeries({
      id: `pods=${pods}/agent`,
      conditions: { fault: 'sigkill', pods, datasets: 1, rate: 1000, pacingMs: 50 },
      crashes: crashes.map((one) => ({
        ...one,
        moments: { ...one.moments, ...(pods > 1 && { lastReadable: one.moments.readable ?? 0 }) },
      })),
    });
  return new MeasuredPhases(sampleBench({ series: [point(1), point(1000)] }));
}

/** A fleet of one dataset a node, whose kubelet is never late. */
export function sampleFleet(lines: readonly string[] = []) {
  const kubelet = 'kubelet: { relist: 0s, resync: 0s }';
  const given = lines.some((line) => line.startsWith('kubelet'));
  const yaml = ['nodes: 50', 'podsPerNode: 2', 'datasetsPerNode: 1', ...(given ? [] : [kubelet]), ...lines].join('\n');
  return parseFleet(yaml, 'fleet.yaml');
}

/** Runs a forecast to its end. */
export function forecastAll(options: ForecastOptions): Forecast {
  const running = forecastFleet(options);
  for (;;) {
    const step = running.next();
    if (step.done) return step.value;
  }
}

/** A series in which the first pod reads after 2 ms, and each of the pods 0.4 ms after the one before. */
export function linearSeries(pods: number, lastMs = 2 + 0.4 * pods) {
  const crashes = Array.from({ length: 5 }, (_, index) => {
    const { moments, ...crash } = sampleCrash(index + 1, 2, 100);
    return { ...crash, moments: { ...moments, ...(pods > 1 && { lastReadable: (100 + lastMs) * 1e6 }) } };
  });
  const conditions = { fault: 'sigkill', pods, datasets: 1, rate: 1000, pacingMs: 50 };
  return sampleSeries({ id: `pods=${pods}/agent`, conditions, crashes });
}

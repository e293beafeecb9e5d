import recorded from '../fixtures/recorded.json' with { type: 'json' };
import type { BenchCrash, BenchMoment, BenchRecord, BenchSeries } from '../record.ts';
import { sampleSeries } from './sample-bench.ts';

/** What `fixtures/recorded.json` keeps of each crash, in microseconds. */
const columns: readonly BenchMoment[] = [
  'firstError',
  'noticed',
  'daemonStarted',
  'daemonReady',
  'replacedOnNode',
  'replacedInPod',
  'readable',
  'steady',
  'verified',
];

export interface RecordedRuns {
  readonly runs: readonly {
    readonly startedAt: string;
    /** The columns, then the longest stall; null for a moment that was not observed. */
    readonly crashes: readonly (readonly (number | null)[])[];
  }[];
}

/** Runs of the same code on the same machine, from different hours and under different load. */
export const recordedSeries: readonly BenchSeries[] = (recorded as RecordedRuns).runs.map(({ crashes }) =>
  sampleSeries({ asked: crashes.length, crashes: crashes.map(unpack) }),
);

function unpack(row: readonly (number | null)[], index: number): BenchCrash {
  const moments = columns.flatMap((name, column) => {
    const microseconds = row[column];
    return typeof microseconds === 'number' ? [[name, microseconds * 1000]] : [];
  });
  return {
    crash: index + 1,
    pod: 'rk-bench-1/demo-app',
    moments: Object.fromEntries(moments),
    errors: { ENOTCONN: 1 },
    late: 0,
    longestStallNs: (row[columns.length] ?? 0) * 1000,
  };
}

/** The fixture with the agent's series of more real runs. */
export function addRuns(records: readonly BenchRecord[]): RecordedRuns {
  const runs = records.map(({ startedAt, series }) => ({
    startedAt,
    crashes: (series.find(({ id }) => id === 'agent')?.crashes ?? []).map(({ moments, longestStallNs }) =>
      [...columns.map((name) => moments[name]), longestStallNs].map((ns) =>
        ns === undefined ? null : Math.round(ns / 1000),
      ),
    ),
  }));
  return { runs: [...(recorded as RecordedRuns).runs, ...runs] };
}

import { describe, expect, it } from 'vitest';
import { backoffRows, predictDelay, type SeenRestart } from './backoff.ts';
import type { HistoryEvent } from './timeline/record.ts';

const second = 1000;

/** The oracle's delays for a container that runs for the given seconds each time, if the kubelet behaves as predicted. */
function expectations(runs: readonly number[]) {
  const restarts: SeenRestart[] = [];
  let now = 0;
  return runs.map((seconds) => {
    now += seconds * second;
    const prediction = predictDelay(restarts, now);
    restarts.push({ finishedAt: now, startedAt: now + prediction.delayMs });
    now += prediction.delayMs;
    return [prediction.delayMs / second, prediction.because];
  });
}

describe('the expected delay', () => {
  it('is as the schedule of the source has it: 0, 10, 20 ... 160, then 300 s', () => {
    expect(expectations(Array(9).fill(0))).toEqual([
      [0, 'first'],
      [10, 'doubled'],
      [20, 'doubled'],
      [40, 'doubled'],
      [80, 'doubled'],
      [160, 'doubled'],
      [300, 'capped'],
      [300, 'capped'],
      [300, 'capped'],
    ]);
  });

  it('begins anew after a run of more than 600 s, and not after one of exactly that', () => {
    expect(expectations([1, 1, 1, 601, 1, 1])).toEqual([
      [0, 'first'],
      [10, 'doubled'],
      [20, 'doubled'],
      [0, 'reset'],
      [10, 'doubled'],
      [20, 'doubled'],
    ]);
    expect(expectations([1, 1, 600])).toEqual([
      [0, 'first'],
      [10, 'doubled'],
      [20, 'doubled'],
    ]);
  });

  it('counts from the last of several resets', () => {
    expect(expectations([1, 601, 1, 601, 601, 1]).map(([delay]) => delay)).toEqual([0, 0, 10, 0, 0, 10]);
  });

  it('counts a wait as no run', () => {
    // Seven crashes make it wait for 300 s each time: long after the first, but no run was long.
    expect(expectations(Array(12).fill(200)).at(-1)).toEqual([300, 'capped']);
  });

  it('follows a kubelet that has other limits', () => {
    const reduced = { initialMs: second, maximumMs: 60 * second, resetAfterMs: 600 * second };
    const restarts = [0, 1, 2, 3, 4, 5, 6].map((at) => ({ finishedAt: at, startedAt: at }));
    expect(predictDelay(restarts.slice(0, 1), 1, reduced).delayMs).toBe(second);
    expect(predictDelay(restarts, 7, reduced)).toEqual({ delayMs: 60 * second, because: 'capped' });
  });
});

it('a row has the longest time that the kubelet may reckon a container to have run', () => {
  const process = (change: 'started' | 'exited', at: number): HistoryEvent => ({
    kind: 'process',
    change,
    role: 'daemon',
    name: 'ns/pod/c',
    pid: 1,
    at: at * 1e6,
  });
  const history = [process('started', 0), process('exited', 5), process('started', 7), process('exited', 11)];
  const expected = [
    { delayMs: 100, because: 'first', ranMs: 0 },
    { delayMs: 200, because: 'doubled', ranMs: 300 },
  ] as const;
  const options = { container: 'ns/pod/c', clockScale: 100, expected, outages: [] };
  const rows = backoffRows([...history, process('started', 14)], options);
  // From 5 ms + 1 ms of delay to 14 ms, by a clock that is a hundred times faster.
  expect(rows.map(({ ranAtMostMs }) => ranAtMostMs)).toEqual([undefined, 800]);
});

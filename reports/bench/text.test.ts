import { expect, it } from 'vitest';
import type { BenchCrash } from './record.ts';
import { sampleBench, sampleCrash, sampleSeries } from './testing/sample-bench.ts';
import { benchText, sandboxText } from './text.ts';

const crashes = (agentMs: number, daemonMs: number) =>
  [1, 2, 3].map((crash) => {
    const { moments, ...rest } = sampleCrash(crash, agentMs * crash, daemonMs);
    return { ...rest, moments: { ...moments, daemonStarted: (daemonMs - 100) * 1e6 } };
  });

it('shows the phases of an outage on a cluster next to those in the sandbox, and checks the agent’s goal', () => {
  const series = [
    sampleSeries({ crashes: crashes(4, 900) }),
    sampleSeries({ id: 'sandbox/agent', crashes: crashes(2, 300) }),
  ];
  const text = sandboxText({ cluster: 'kind', series });
  expect(text[1]).toBe('agent: kind next to the sandbox');
  expect(text.slice(3, 7).map((line) => line.trim().split(/ {2,}/).slice(-4))).toEqual([
    ['800', '800', '200', '200'],
    ['100', '100', '100', '100'],
    ['8.00', '12.0', '4.00', '6.00'],
    ['908', '912', '304', '306'],
  ]);
  expect(text[7]).toBe('  ✔ the agent’s part: median 8.00 ms (goal 10), worst of 3 12.0 ms (goal 100)');
  expect(
    sandboxText({
      cluster: 'kind',
      series: [{ ...series[0], crashes: crashes(6, 900) } as never, series[1] as never],
    }).at(-1),
  ).toContain('✘');
});

it('shows what a standby is worth, and the death of the daemon apart', () => {
  const ended = (readableMs: number, restart: BenchCrash['moments'] = {}) => {
    const { moments: _, ...rest } = sampleCrash(1, 5);
    return [{ ...rest, moments: { firstError: 1e6, connectionEnded: 0.75e6, readable: readableMs * 1e6, ...restart } }];
  };
  const ordinary = sampleSeries({ crashes: ended(200.75, { daemonReady: 199e6 }) });
  const standby = sampleSeries({ id: 'standby', arm: 'standby', title: 'with a standby', crashes: ended(2.75) });
  const text = benchText(sampleBench({ series: [ordinary, standby] }));
  const from = text.findIndex((line) => line.startsWith('with and without a standby'));
  expect(text.slice(from + 1, from + 6).map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['milliseconds', 'p50', 'p90', 'p99', 'max', 'n'],
    ["agent: Rekindle's agent", 'crash → end of the connection', '0.75', '0.75', '0.75', '0.75', '1'],
    ['end of the connection → first good read', '200', '200', '200', '200', '1'],
    ['standby: with a standby', 'crash → end of the connection', '0.75', '0.75', '0.75', '0.75', '1'],
    ['end of the connection → first good read', '2.00', '2.00', '2.00', '2.00', '1'],
  ]);
  expect(benchText(sampleBench({ series: [ordinary] })).join()).not.toContain('a standby');
  // A failover does not begin with the daemon's return.
  expect(text.join()).not.toContain('more than 30000');
});

it('shows a takeover beside the others: no operation fails, and the longest stall counts', () => {
  const crash = {
    ...sampleCrash(1, 5),
    errors: {},
    longestStallNs: 61e6,
    moments: { readable: 68e6, daemonReady: 63e6 },
  };
  const takeover = sampleSeries({ id: 'takeover', arm: 'takeover', title: 'a takeover', crashes: [crash] });
  const standby = sampleSeries({ id: 'standby', arm: 'standby', title: 'a standby' });
  const text = benchText(sampleBench({ series: [sampleSeries(), standby, takeover] }));
  const from = text.findIndex((line) => line.startsWith('side by side'));
  const [head = '', agent = '', , taken = ''] = text.slice(from + 1);
  const lastCells = (line: string) => line.trim().split(/ {2,}/).slice(-3);
  expect([head, agent, taken].map(lastCells)).toEqual([
    ['longest stall', 'failed operations', 'n'],
    ['12.0', '200', '20'],
    ['61.0', '0', '1'],
  ]);
  expect(taken).toMatch(/^ {2}a takeover +68\.0 /);
  // Its connection does not end.
  expect(text.slice(text.findIndex((line) => line.startsWith('with and without'))).join()).not.toContain('takeover');
});

it('counts the delays of a crash loop at the speed of the kubelet, but only if the pod waited for them', () => {
  const loop = (daemonMs: number | undefined) => {
    const { moments, ...rest } = sampleCrash(2, 5, 260);
    const { daemonReady: _, ...without } = moments;
    return [{ ...rest, backoffNs: 10e9, moments: daemonMs === undefined ? without : moments }];
  };
  const conditions = { ...sampleSeries().conditions, crashLoop: true } as const;
  const series = [
    sampleSeries({ conditions, crashes: loop(260) }),
    sampleSeries({ id: 'standby', arm: 'standby', conditions, crashes: loop(undefined) }),
  ];
  const { fidelity } = sampleBench();
  const text = benchText(sampleBench({ series, fidelity: { ...fidelity, clockScale: 50 } }));
  const from = text.findIndex((line) => line.startsWith('a crash loop'));
  // 265 ms, of which 200 were the delay of 10 s.
  expect(text[from + 2]?.trim().split(/ {2,}/)).toEqual(['2', '10.0 s', '10.1 s', '10.0 s', '265 ms']);
  expect(benchText(sampleBench()).join()).not.toContain('a crash loop');
});

it('is empty for a run in one place', () => {
  expect(sandboxText({ cluster: 'sandbox', series: [sampleSeries()] })).toEqual([]);
});

it('shows times below zero as they are, names them, and names a readiness that was only seen from outside', () => {
  const negative = [...crashes(4, 900).slice(1), sampleCrash(1, -2)];
  const [text, plain] = [sampleSeries({ readyBy: 'statfs', crashes: negative }), sampleSeries()].map((series) =>
    benchText(sampleBench({ series: [series] })).join('\n'),
  );
  expect(text).toMatch(/daemon restarted → first good read +-2\.00 /);
  expect(text).toContain(
    'the clocks disagree: "daemon restarted → first good read" is negative after 1 of 3 crashes, by up to 2.00 ms',
  );
  expect(text).toContain('daemon ready: the first successful statfs of ours');
  expect(plain).not.toMatch(/clocks disagree|statfs of ours/);
});

import { describe, expect, it } from 'vitest';
import { renderFleet } from './html.ts';
import { ninesFor } from './record.ts';
import { sampleForecast, sampleMeans } from './testing/sample-forecast.ts';
import { count, fleetText, formatAvailability, formatBytes, formatDuration, formatRate } from './text.ts';

const page = renderFleet(sampleForecast());

describe('the page of a forecast', () => {
  it('is one file without a script, with no number that is none', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|src=|https?:\/\/|NaN|undefined|\[object|Infinity/);
  });

  it('says what the agent and the best means are worth, and that it is a forecast', () => {
    expect(page).toContain('20,000 pods on 1,000 nodes, 365 days');
    expect(page).toContain('With Rekindle&#39;s agent, a pod cannot read for 30.0 s in a year on average');
    expect(page).toContain('With a standby daemon, a pod cannot read for 40.0 ms in a year on average');
    expect(page).toContain('A forecast, not a measurement');
    expect(page).toContain('91 % of outages only stall');
  });

  it('has each means as a line in each of four charts, with its figures in words', () => {
    expect(page.match(/<figure class="chart">/g)).toHaveLength(4);
    expect(page).toContain('a standby daemon: median 4.00 ms, longest 8.00 ms');
    expect(page.match(/<path class="t6"/g)).toHaveLength(4);
  });

  it('has a column for each cause that made a pod wait, and names the source of each figure', () => {
    expect(page).toMatch(/crash<\/th><th scope="col" class="n">out of memory<\/th><th scope="col" class="n">all</);
    expect(page).toMatch(/the daemon&#39;s start<\/th><td>the fleet file</);
  });

  it('has no outages to draw if there were none', () => {
    const none = sampleMeans('ordinary', "Rekindle's agent", 3000);
    const { outagesMs } = none;
    const quiet = { ...none, unavailability: 0, outagesMs: { ...outagesMs, p50: Number.NaN, count: 0, longer: [] } };
    const empty = renderFleet(sampleForecast({ means: [quiet] }));
    expect(empty.match(/<figure class="chart">/g)).toHaveLength(3);
    expect(empty).toContain('no outage');
    expect(empty).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows a file name as text', () => {
    expect(renderFleet(sampleForecast({ file: '<b>.yaml' }))).toContain('&lt;b&gt;.yaml');
  });
});

describe('the printed forecast', () => {
  const lines = fleetText(sampleForecast());

  it('has a row of outages and one of cost for each means', () => {
    expect(lines.filter((line) => line.startsWith('a standby daemon'))).toHaveLength(2);
    expect(lines.find((line) => line.startsWith("Rekindle's agent"))).toMatch(/99\.999905 % +6\.0 +3\.00 s/);
  });

  it('says what ended the daemons, and what the forecast took', () => {
    expect(lines).toContain('daemons ended: crash 14,000, out of memory 6,000');
    expect(lines).toContain('Simulated in 12.3 s (11.2 s of CPU) with 600 MiB; --seed 7 repeats it.');
  });
});

it('formats figures from microseconds to months, and shares with all their nines', () => {
  expect([0.02, 4, 3000, 5 * 60_000, 3 * 3_600_000, 50 * 86_400_000].map(formatDuration)).toEqual([
    '20.0 µs',
    '4.00 ms',
    '3.00 s',
    '5 min 00 s',
    '3.0 h',
    '50.0 d',
  ]);
  expect([0.5, 0.01, 0.000_031, 0].map(formatAvailability)).toEqual(['50.0 %', '99.0 %', '99.9969 %', '100 %']);
  expect(ninesFor(0.001)).toBeCloseTo(3);
  expect([999, 1000, 2_500_000].map(count)).toEqual(['999', '1,000', '2,500,000']);
  expect([0, 0.123, 7, 1234].map(formatRate)).toEqual(['0', '0.12', '7.0', '1,234']);
  expect([76 * 2 ** 20, 12 * 2 ** 30].map(formatBytes)).toEqual(['76 MiB', '12.0 GiB']);
});

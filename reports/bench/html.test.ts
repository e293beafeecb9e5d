import { describe, expect, it } from 'vitest';
import { compareBenches, compareDefaults } from './compare.ts';
import { renderBench, renderComparison } from './html.ts';
import { sampleBench, sampleCrash, sampleSeries } from './testing/sample-bench.ts';

const slower = (by: number) => Array.from({ length: 20 }, (_, i) => sampleCrash(i + 1, 5 + by + (i % 5) / 10));
const record = sampleBench({
  series: [
    sampleSeries(),
    sampleSeries({ id: 'poll', arm: 'poll', title: 'a plain 5 s poll', crashes: slower(2500) }),
    sampleSeries({
      id: 'nothing',
      arm: 'nothing',
      title: 'nothing',
      crashes: slower(0).map((crash) => ({ ...crash, moments: { firstError: 2e6, daemonReady: 2e8 } })),
    }),
  ],
});
const page = renderBench(record);

describe('renderBench', () => {
  it('is one file without a script, with no number that is none', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|src=|https?:\/\/|NaN|undefined|\[object/);
  });

  it('says first how soon the pod reads after the daemon is back', () => {
    expect(page).toContain('agent: the pod reads 5.20 ms after the daemon is back (median of 20; slowest 5.40 ms).');
  });

  it('has the ratios that were measured side by side, above the pictures', () => {
    const table = page.indexOf('Side by side');
    expect(table).toBeGreaterThan(0);
    expect(table).toBeLessThan(page.indexOf('class="charts"'));
    expect(page).toMatch(/a plain 5 s poll<\/th>(<td class="n">[^<]*<\/td>){4}<td class="n">482×<\/td>/);
    expect(renderBench(sampleBench())).not.toContain('Side by side');
  });

  it('says what the agent used, where somebody looked', () => {
    const first = { anonymousBytes: 47e6, residentBytes: 140e6, cpuMs: 100, processes: 2 };
    const agent = { first, last: { ...first, cpuMs: 300 }, overMs: 10_000 };
    const used = renderBench(sampleBench({ series: [sampleSeries({ agent })] }));
    expect(used).toContain('agent (2 processes): anonymous memory 47.0 MB first, 47.0 MB last');
    expect(used).toContain('CPU 10.0 ms a crash, 2.0 % of a core');
    const never = { ...agent, last: first, overMs: 0 };
    expect(renderBench(sampleBench({ series: [sampleSeries({ agent: never })] }))).not.toContain('CPU 0');
  });

  it('draws the arms over each other, phase by phase, and one that never ends not at all', () => {
    const charts = [...page.matchAll(/<figcaption>([^<]*)<\/figcaption>[\s\S]*?aria-label="([^"]*)"/g)];
    const said = new Map(charts.map(([, title, label]) => [title, label]));
    expect(said.get('daemon restarted → first good read')).toMatch(
      /^Rekindle&#39;s agent: median .*a plain 5 s poll: median 2\.51 s/,
    );
    expect(said.get('daemon restarted → first good read')).not.toContain('nothing');
    expect(said.get('crash → daemon restarted')).toContain('nothing: median 200 ms');
  });

  it('has each figure with its interval', () => {
    expect(page).toMatch(
      /<th scope="row">daemon restarted → first good read<\/th><td class="n">5\.00<\/td><td class="n">5\.20<small> \(\d/,
    );
  });
});

describe('renderComparison', () => {
  const before = { name: 'main', record: sampleBench() };
  const compared = (by: number) => {
    const after = { name: 'mine', record: sampleBench({ series: [sampleSeries({ crashes: slower(by) })] }) };
    return renderComparison(before, after, compareBenches(before.record, after.record), compareDefaults.confidence);
  };

  it('says that it became worse, and where', () => {
    expect(compared(20)).toContain('<h1>Worse</h1>');
    expect(compared(20)).toMatch(/before: median 5\.20 ms.*after: median 25\.2 ms/);
    expect(compared(20)).toContain('class="tone-worse">worse<');
  });

  it('says that nothing has changed', () => {
    expect(compared(0)).toContain('<h1>The same</h1>');
  });
});

import { describe, expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/testing/sample-run.ts';
import { renderOpenMetrics } from './openmetrics.ts';

const { record } = sampleRun({ operations: 600 });
const text = await renderOpenMetrics({ record });

describe('renderOpenMetrics', () => {
  it('describes each family once, before its samples, and ends the text', () => {
    const lines = text.split('\n');
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
    const families = lines.flatMap((line) => /^# TYPE (\S+) (?:gauge|counter)$/.exec(line)?.[1] ?? []);
    expect(new Set(families).size).toBe(families.length);
    expect(families.length).toBeGreaterThan(6);
    let family = '';
    for (const line of lines.slice(0, -2)) {
      const [, keyword, name = ''] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? [];
      if (keyword === 'HELP') expect(line).toMatch(/\.$/);
      if (keyword !== undefined) family = name;
      else expect(line).toMatch(new RegExp(`^${family}(_total)?(\\{.+\\})? [0-9.e-]+$`));
    }
  });

  it('counts scenarios by status', () => {
    expect(text).toContain('rekindle_scenarios{status="fail"} 1\n');
    expect(text).toContain('rekindle_scenarios{status="skipped"} 2\n');
    expect(text.match(/^rekindle_verdict\{.*$/gm)?.toSorted()).toEqual([
      'rekindle_verdict{rekindle_verdict="fail"} 1',
      'rekindle_verdict{rekindle_verdict="inconclusive"} 0',
      'rekindle_verdict{rekindle_verdict="pass"} 0',
    ]);
  });

  it('gives the outage of each crash after which the pod read again, and no other', () => {
    const outages = text.match(/^rekindle_outage_seconds\{.*\} 0?\.?\d.*$/gm) ?? [];
    const readable = record.scenarios.flatMap((one) => one.recoveries).filter((one) => one.readable !== undefined);
    expect(outages).toHaveLength(readable.length);
    expect(outages[0]).toMatch(/scenario="crash-kill-1",crash="1",fault="kill-1",pod="default\/demo-app\/demo:\/data"/);
    expect(text).toMatch(/rekindle_phase_seconds\{phase="ready-to-readable",scenario="crash-kill-1".*\} 0\.00\d+/);
  });

  it('escapes labels', async () => {
    const hostile = await renderOpenMetrics({ record: { ...record, profile: 'a"b\\c\nd' } });
    expect(hostile).toContain('profile="a\\"b\\\\c\\nd"');
  });
});

import { describe, expect, it } from 'vitest';
import { renderOpenMetrics } from './openmetrics.ts';
import { sampleRun } from './sample.ts';

const { record } = sampleRun({ operations: 600 });
const text = renderOpenMetrics({ record });

describe('renderOpenMetrics', () => {
  it('ends as the specification demands', () => expect(text.endsWith('\n# EOF\n')).toBe(true));

  it('has only lines of the format', () => {
    const sample = /^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\[\\"n])*",?)+\})? -?[\d.e+-]+$/;
    for (const line of text.trimEnd().split('\n')) {
      if (!line.startsWith('# ')) expect(line).toMatch(sample);
    }
  });

  it('keeps the samples of a family together, under one TYPE', () => {
    const types = text.match(/^# TYPE (\S+)/gm) ?? [];
    expect(new Set(types).size).toBe(types.length);
  });

  it('counts scenarios by status', () => {
    expect(text).toContain('rekindle_scenarios{status="fail"} 1\n');
    expect(text).toContain('rekindle_scenarios{status="skipped"} 2\n');
    expect(text).toContain('rekindle_verdict{rekindle_verdict="fail"} 1\n');
  });

  it('gives the outage of each crash after which the pod read again, and no other', () => {
    const outages = text.match(/^rekindle_outage_seconds\{.*\} 0?\.?\d.*$/gm) ?? [];
    const readable = record.scenarios.flatMap((one) => one.recoveries).filter((one) => one.readable !== undefined);
    expect(outages).toHaveLength(readable.length);
    expect(outages[0]).toMatch(/scenario="crash-kill-1",crash="1",fault="kill-1",pod="default\/demo-app\/demo:\/data"/);
    expect(text).toMatch(/rekindle_phase_seconds\{phase="ready-to-readable",scenario="crash-kill-1".*\} 0\.00\d+/);
  });

  it('escapes labels', () => {
    const hostile = renderOpenMetrics({ record: { ...record, profile: 'a"b\\c\nd' } });
    expect(hostile).toContain('profile="a\\"b\\\\c\\nd"');
  });
});

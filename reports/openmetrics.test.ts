import { describe, expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/sample.ts';
import { renderOpenMetrics } from './openmetrics.ts';
import { readOpenMetrics } from './openmetrics-reader.ts';

const { record } = sampleRun({ operations: 600 });
const text = renderOpenMetrics({ record });

describe('renderOpenMetrics', () => {
  it('is read by a strict reader of the format, each family with type and help', () => {
    const families = readOpenMetrics(text);
    expect(families.length).toBeGreaterThan(6);
    for (const { help } of families) expect(help).toMatch(/\.$/);
    expect(families.filter(({ name }) => name.endsWith('_seconds')).every(({ unit }) => unit === 'seconds')).toBe(true);
  });

  it.each([
    ['no end', (t: string) => t.replace('# EOF\n', ''), 'not # EOF'],
    [
      'a family in two pieces',
      (t: string) => t.replace('# EOF', '# TYPE rekindle_scenarios gauge\n# EOF'),
      'comes twice',
    ],
    ['a sample twice', (t: string) => t.replace(/^rekindle_clock_scale.*\n/m, '$&$&'), 'a sample twice'],
    ['a sample of nowhere', (t: string) => t.replace('# EOF', 'x 1\n# EOF'), 'of another family'],
    ['a counter without its suffix', (t: string) => t.replace('_total{', '{'), 'of another family'],
    ['a raw line break', (t: string) => t.replace('status="fail"', 'status="a\nb"'), 'no sample'],
  ])('is not where it has %s', (_, spoil, why) => expect(() => readOpenMetrics(spoil(text))).toThrow(why));

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
    expect(readOpenMetrics(hostile)[0]?.samples[0]?.labels.profile).toBe('a"b\\c\nd');
  });
});

import { describe, expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/testing/sample-run.ts';
import { renderMarkdown } from './markdown.ts';

const { record } = sampleRun({ operations: 600 });

describe('renderMarkdown', () => {
  it('says the verdict first, and the sentence that explains it', () => {
    const [title, , sentence] = renderMarkdown({ record }).split('\n');
    expect(title).toBe('## ❌ Not conformant');
    expect(sentence).toContain('“three crashes leave the mount table as long as it was” failed: The mount tables');
  });

  it('has a row for each scenario, with the reason of those that did not pass', () => {
    const rows = renderMarkdown({ record })
      .split('\n')
      .filter((line) => /^\| (✅|❌|❔|⏭️)/u.test(line));
    expect(rows).toHaveLength(record.scenarios.length);
    expect(rows[0]).toMatch(
      /^\| ✅ passed \| C1 C2 C3 \| the pod reads again after kill 1 in the FUSE pod \| \d+ ms \| {2}\|$/,
    );
    expect(rows.map((row) => row.split(' ')[1])).toEqual(
      record.scenarios.map(({ status }) => ({ pass: '✅', fail: '❌', inconclusive: '❔', skipped: '⏭️' })[status]),
    );
    expect(rows[7]).toContain('The sandbox has no virtual node; run it with --cluster kind.');
  });

  it('gives median and worst of each phase', () => {
    expect(renderMarkdown({ record })).toMatch(/\| crash \| readable in the pod \| [\d.]+ m?s \| [\d.]+ m?s \| \d \|/);
  });

  it('says what is fake and how fast its clock goes', () => {
    const text = renderMarkdown({ record });
    expect(text).toContain('- **fake**: kubelet: pods are process trees in namespaces');
    expect(text).toContain('The fake kubelet’s clock runs 10 times as fast.');
    expect(renderMarkdown({ record: { ...record, fidelity: { ...record.fidelity, clockScale: 1 } } })).toContain(
      'No clock is scaled.',
    );
  });

  it('keeps a table row one row, whatever a name holds', () => {
    const [scenario] = record.scenarios;
    if (!scenario) throw new Error('the sample has no scenario');
    const text = renderMarkdown({ record: { ...record, scenarios: [{ ...scenario, name: 'a | b\n| <b>c' }] } });
    expect(text).toContain('| a \\| b \\| \\<b\\>c |');
  });

  it('lists what could not be cleaned up', () => {
    expect(renderMarkdown({ record: { ...record, leftovers: ['mount /x'] } })).toContain('- mount /x');
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeContext } from '../cli/fake-context.ts';
import { sampleRun } from '../timeline/testing/sample-run.ts';
import { renderAnnotations, reportToCi } from './report-to-ci.ts';

const { record } = sampleRun({ operations: 200 });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-ci-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function report(env: Record<string, string>, reported = record): { stdout: string; stderr: string } {
  const { context, stdout, stderr } = createFakeContext({ cwd: folder });
  reportToCi(reported, { ...context.environment, env });
  return { stdout: stdout(), stderr: stderr() };
}

test('appends the summary, with a picture of the slowest recovery, to what other steps wrote', () => {
  const path = join(folder, 'summary.md');
  writeFileSync(path, 'before\n');
  report({ GITHUB_STEP_SUMMARY: path });
  const text = readFileSync(path, 'utf8');
  expect(text.startsWith('before\n## ❌ Not conformant')).toBe(true);
  expect(text).toContain('```mermaid\ngantt');
});

test('annotates in GitHub Actions, and nowhere else', () => {
  expect(report({ GITHUB_ACTIONS: 'true' }).stdout).toMatch(/^::error file=.*\n::warning file=.*\n$/);
  expect(report({})).toEqual({ stdout: '', stderr: '' });
});

test('keeps to what GitHub takes', () => {
  const [one] = record.scenarios;
  const scenarios = Array.from({ length: 9000 }, () => ({
    ...one,
    name: 'long '.repeat(30),
  })) as typeof record.scenarios;
  const path = join(folder, 'summary.md');
  report({ GITHUB_STEP_SUMMARY: path }, { ...record, scenarios });
  const text = readFileSync(path, 'utf8');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
  expect(text.endsWith('The rest is in report.md.\n')).toBe(true);
});

test('reports a summary that cannot be written, and does not fail', () => {
  expect(report({ GITHUB_STEP_SUMMARY: join(folder, 'none/summary.md') }).stderr).toContain(
    'rekindle: no step summary: ENOENT',
  );
});

test('an annotation points at the line of each scenario that failed or is inconclusive, with its reason', () => {
  expect(renderAnnotations(record)).toEqual([
    '::error file=crash-and-recovery.feature,line=12,title=C3 three crashes leave the mount table as long as it was::The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    '::warning file=limits.feature,line=12,title=L1 a daemon that does not answer is found out::One operation had not come back when the scenario ended, so it is not known how it would have ended.',
  ]);
});

test('an annotation is one line, and its parts are apart, whatever a name holds', () => {
  const scenarios = record.scenarios.slice(2, 3).map((one) => ({ ...one, name: 'a: b, c%', reason: 'x::y\r\nz' }));
  expect(renderAnnotations({ scenarios })).toEqual([
    '::error file=crash-and-recovery.feature,line=12,title=C3 a%3A b%2C c%25::x::y%0D%0Az.',
  ]);
});

test('an annotation reports failures of the run as a whole', () => {
  const checks = [{ name: 'no secret', claims: [], verdict: 'fail', says: 'it is in report.md' } as const];
  expect(renderAnnotations({ scenarios: [], checks })).toEqual([
    '::error title=The run as a whole%3A no secret::it is in report.md',
  ]);
});

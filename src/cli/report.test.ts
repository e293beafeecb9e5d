import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sampleRun } from '../../reports/sample.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

const files = ['report.html', 'report.md', 'junit.xml', 'metrics.prom'];
const { record, history } = sampleRun({ operations: 50 });
let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-report-'));
  writeFileSync(join(cwd, 'record.json'), JSON.stringify(record));
  writeFileSync(join(cwd, 'history.ndjson'), history.map((event) => `${JSON.stringify(event)}\n`).join(''));
});

afterEach(() => rmSync(cwd, { recursive: true }));

test('makes all reports again from the stored record, and prints their paths', async () => {
  const { context, stdout } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.'], context)).toBe(0);
  expect(stdout()).toBe(files.map((file) => `${join(cwd, file)}\n`).join(''));
  for (const file of files) expect(readFileSync(join(cwd, file), 'utf8')).toContain(record.runId);
});

test('writes them elsewhere where asked to', async () => {
  const { context, stdout } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.', '--out', 'new/place'], context)).toBe(0);
  expect(stdout().split('\n')[0]).toBe(join(cwd, 'new/place/report.html'));
});

test.each([
  ['record.json', '{"schema":', 'record.json: cut in the middle'],
  ['history.ndjson', '{"kind":"probe"', 'history.ndjson line 1: cut in the middle'],
])('a %s that was cut is told, and the status is 2', async (file, text, says) => {
  writeFileSync(join(cwd, file), text);
  const { context, stderr } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.'], context)).toBe(2);
  expect(stderr()).toBe(`rekindle: cannot read the run in ".": ${says}\n`);
});

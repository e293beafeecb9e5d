import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeMachine } from '../run/machine.ts';
import { parseRecord } from '../timeline/parse.ts';
import type { CheckRecord, RunRecord } from '../timeline/record.ts';
import { sampleRun } from '../timeline/testing/sample-run.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

const files = ['report.html', 'report.md', 'junit.xml', 'metrics.prom'];
const sample = sampleRun({ operations: 50 });
const { history } = sample;
const record = { ...sample.record, machine: describeMachine() };
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

test('shows what did not pass with its picture, named from where the command was given', async () => {
  mkdirSync(join(cwd, 'out'));
  const { context } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.', '--out', 'out'], context)).toBe(0);
  const junit = readFileSync(join(cwd, 'out/junit.xml'), 'utf8');
  expect(junit).toContain('[[ATTACHMENT|out/report.html]]');
  expect(readFileSync(join(cwd, 'out/report.md'), 'utf8')).toContain('](slowest-recovery.svg)');
  expect(readFileSync(join(cwd, 'out/slowest-recovery.svg'), 'utf8')).toContain('<svg');
});

test('writes them elsewhere where asked to', async () => {
  const { context, stdout } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.', '--out', 'new/place'], context)).toBe(0);
  expect(stdout().split('\n')[0]).toBe(join(cwd, 'new/place/report.html'));
});

const cut = JSON.stringify(record).slice(0, 400);
const elsewhere = JSON.stringify({ ...record, machine: { ...record.machine, cpus: 96 } });
const another = JSON.stringify({ ...history[0], scenario: 'of-another-run' });

test.each([
  ['record.json', cut, 'record.json: cut in the middle'],
  ['record.json', '', 'record.json: is empty'],
  ['record.json', '{"schema":"rekindle.record/9"}', 'was written as "rekindle.record/9"; this version reads'],
  ['record.json', elsewhere, 'it was made on another machine ('],
  ['history.ndjson', '{"kind":"probe"', 'history.ndjson line 1: cut in the middle'],
  ['history.ndjson', `${another}\n`, 'history.ndjson is of another run: it mentions "of-another-run"'],
  [
    'history.ndjson',
    `${JSON.stringify({ ...history[0] })}\n`,
    'history.ndjson is of another run or incomplete: it lacks',
  ],
  ['record.json', 'hello', 'record.json: is not JSON'],
  ['history.ndjson', '', 'history.ndjson is empty, but record.json has'],
])('reports a bad %s (%.30s) in one sentence with status 2', async (file, text, says) => {
  writeFileSync(join(cwd, file), text);
  const { context, stderr } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.'], context)).toBe(2);
  expect(stderr()).toContain(says);
  expect(stderr().trim().split('\n')).toHaveLength(1);
  expect(existsSync(join(cwd, 'report.html'))).toBe(false);
});

test("makes reports of another machine's run with --anyway", async () => {
  writeFileSync(join(cwd, 'record.json'), elsewhere);
  const { context } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.', '--anyway'], context)).toBe(0);
});

test('takes a history that comes in several pieces, letters of several bytes at their edges', async () => {
  const line = `${JSON.stringify({ kind: 'note', at: 1, scenario: history[0]?.scenario, text: 'é'.repeat(5000) })}\n`;
  writeFileSync(join(cwd, 'history.ndjson'), `${readFileSync(join(cwd, 'history.ndjson'), 'utf8')}${line.repeat(250)}`);
  const { context } = createFakeContext({ cwd });
  expect(await rekindle(['report', '.'], context)).toBe(0);
});

const lines = (text: string) => text.split('\n');
const stored = (name: string) => parseRecord(readFileSync(join(cwd, name), 'utf8'));

test('judges a stored run again, says what is the same, and exits as its verdict demands', async () => {
  const { context, stdout } = createFakeContext({ cwd });
  expect(await rekindle(['judge', '.', '--out', 'judged'], context)).toBe(1);
  expect(lines(stdout()).filter((line) => line.startsWith('✔ same'))).toHaveLength(record.scenarios.length);
  expect(stdout()).toContain('Nothing differs from what was stored.\nNot conformant. ');
  expect(stored('judged/record.json')).toEqual(record);
  for (const file of [...files, 'history.ndjson']) expect(existsSync(join(cwd, 'judged', file))).toBe(true);
});

test('keeps the first record when a check that is judged again differs', async () => {
  const name = 'no output of the run holds the secret access key';
  const leak: CheckRecord = {
    name,
    claims: [],
    verdict: 'pass',
    says: 'x',
    inputs: [{ files: 1, found: ['junit.xml'] }],
  };
  const passed = record.scenarios.filter(({ status }) => status === 'pass');
  const kept: RunRecord = { ...record, scenarios: passed, checks: [leak], verdict: 'pass' };
  for (const file of files) writeFileSync(join(cwd, file), 'stale');
  writeFileSync(join(cwd, 'record.json'), JSON.stringify(kept));
  const { context, stdout } = createFakeContext({ cwd });
  expect(await rekindle(['judge', '.'], context)).toBe(1);
  for (const file of files) expect(readFileSync(join(cwd, file), 'utf8')).not.toBe('stale');
  expect(stdout()).toMatch(/✘ differs {2}the run as a whole .*\n.*it is in junit\.xml\n\n1 differs from/);
  expect(stdout()).toContain('Not conformant (stored: Conformant). ');
  expect(stored('record.original.json')).toEqual(kept);
  expect(stored('record.json')).toMatchObject({ verdict: 'fail', judgedAgain: { rekindle: expect.any(String) } });
  expect(readFileSync(join(cwd, 'report.md'), 'utf8')).toContain('Not conformant');
  const judged = stored('record.json');
  const again = { ...judged, checks: [{ ...leak, verdict: 'inconclusive' }], verdict: 'inconclusive' };
  writeFileSync(join(cwd, 'record.json'), JSON.stringify(again));
  expect(await rekindle(['judge', '.'], context)).toBe(1);
  expect(stored('record.original.json')).toEqual(kept);
});

test.each([
  ['{"schema":"rekindle.record/9"}', 'was written as "rekindle.record/9"; this version reads'],
  [JSON.stringify({ ...record, verdict: 'pass' }), 'its verdict is pass, but its scenarios'],
  [
    JSON.stringify({ ...record, scenarios: record.scenarios.map((each) => ({ ...each, status: 'pass' })) }),
    'but its steps and checks make it',
  ],
])('refuses to judge the record %.40s', async (text, says) => {
  writeFileSync(join(cwd, 'record.json'), text);
  const { context, stderr } = createFakeContext({ cwd });
  expect(await rekindle(['judge', '.'], context)).toBe(2);
  expect(stderr()).toContain(says);
  expect(existsSync(join(cwd, 'report.html'))).toBe(false);
});

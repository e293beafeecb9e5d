import { mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { sampleRun } from '../timeline/testing/sample-run.ts';
import { type Conclusion, conclude } from './run.ts';

const out = mkdtempSync(join(tmpdir(), 'rekindle-run-'));
afterAll(() => rmSync(out, { recursive: true }));

async function concludeWith(runId: string, scenarios: Conclusion['scenarios']) {
  const resultsDir = join(out, runId);
  mkdirSync(resultsDir);
  const environment = { env: {}, cwd: out, signal: AbortSignal.abort() };
  const options = { runId, out, seed: 1, environment } as unknown as Conclusion['options'];
  const facts = {
    profile: 'rekindle',
    command: ['rekindle', 'conform'],
    clusters: [],
    events: [],
    leftovers: [],
    errors: [],
  };
  await conclude({ ...facts, options, scenarios, resultsDir, startedAt: new Date(0), origin: 0 });
  return readlinkSync(join(out, 'latest'));
}

it('leaves the last run that ran anything the latest one', async () => {
  const { scenarios } = sampleRun().record;
  expect(await concludeWith('ran', scenarios)).toBe('ran');
  expect(await concludeWith('interrupted-at-once', [])).toBe('ran');
});

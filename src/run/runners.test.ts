import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type RunAllOptions, runAll } from './runners.ts';

const folder = mkdtempSync(join(tmpdir(), 'rekindle-runners-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Ends without a word in the scenario `deadly`. */
const program = `process.on('message', ({ order, scenario }) => {
  if (order === 'start') process.send({ report: 'ready', cluster: { name: 'sample' } });
  if (order === 'end') process.send({ report: 'ended', leftovers: [] }, () => process.exit(0));
  if (scenario === 'deadly') process.exit(7);
  if (order === 'run') process.send({ report: 'finished', scenarios: [{ name: scenario }], errors: [] });
});`;

it('keeps what was finished if a runner dies, and reports what did not run', async () => {
  const path = join(folder, 'runner.mjs');
  writeFileSync(path, program);
  const finished: string[] = [];
  const ran = await runAll({
    options: { env: {}, runId: 'sample' } as unknown as RunAllOptions['options'],
    folder,
    scenarios: ['first', 'deadly', 'never'],
    jobs: 1,
    onProgress: () => {},
    onFinished: ({ name }) => finished.push(name),
    signal: new AbortController().signal,
    program: path,
  });
  expect(finished).toEqual(['first']);
  expect(ran.errors).toEqual([
    'a runner ended in deadly: status 7',
    '1 scenario was not run, because no runner was left',
  ]);
});

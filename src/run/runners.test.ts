import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunAllOptions, runAll } from './runners.ts';

const folder = mkdtempSync(join(tmpdir(), 'rekindle-runners-'));
beforeEach(() => void mkdirSync(folder, { recursive: true }));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Ends without a word in the scenario `deadly`, and leaves something behind in `stuck`. The scenario `patient` ends once `other` has run,
 * and so does `late`, which misses a budget the first time, as `lonely` does each time.
 */
const program = `import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
const ranBefore = ${JSON.stringify(join(folder, 'ran-before'))};
let starts = false;
const missed = { verdict: 'fail', isTooSlow: true };
const otherRan = ${JSON.stringify(join(folder, 'other-ran'))};
process.on('message', async ({ order, scenario, options }) => {
  const full = { report: 'failed', message: 'no', missing: [{ what: 'the disk is full', remedy: 'make room' }] };
  const interrupted = { report: 'failed', message: 'the sandbox ended' };
  starts ||= options?.starts;
  if (starts && order === 'start') return process.send({ report: 'progress', line: 'starts' });
  if (starts && order === 'end') return process.send(interrupted, () => process.exit(1));
  if (options?.broken || scenario === 'full') process.send(full, () => process.exit(1));
  else if (order === 'start') process.send({ report: 'ready', cluster: { name: options.kubernetes?.ordinal, fidelity: options.conditions } });
  if (order === 'end') process.send({ report: 'ended', leftovers: ['mount /x'] }, () => process.exit(0));
  if (scenario === 'deadly') process.exit(7);
  if (scenario === 'other') writeFileSync(otherRan, '');
  if (scenario === 'patient') process.send({ report: 'waits', waits: true });
  while (scenario === 'patient' && !existsSync(otherRan)) await delay(5);
  if (scenario === 'patient') process.send({ report: 'waits', waits: false });
  const isFirst = !existsSync(ranBefore);
  if (scenario === 'late') writeFileSync(ranBefore, '');
  while (scenario === 'late' && isFirst && !existsSync(otherRan)) await delay(5);
  const misses = scenario === 'lonely' || (scenario === 'late' && isFirst);
  const result = { id: scenario, name: scenario, status: misses ? 'fail' : 'pass', checks: misses ? [missed] : [] };
  if (order === 'run' && scenario !== 'full') process.send({ report: 'finished', scenarios: [result], errors: [], isStuck: scenario === 'stuck' });
});`;

/** Runs scenarios, `NAME@CONDITION`, by default one at a time. Returns the finished ones too. */
async function run(
  scenarios: readonly string[],
  mostRunners: number,
  { broken = false, jobs = 1, kubernetes = false, starts = false } = {},
) {
  const path = join(folder, 'runner.mjs');
  writeFileSync(path, program);
  const finished: string[] = [];
  const interruption = new AbortController();
  const ran = await runAll({
    options: {
      env: {},
      runId: 'sample',
      broken,
      starts,
      ...(kubernetes && { kubernetes: {} }),
    } as unknown as RunAllOptions['options'],
    folder,
    scenarios: scenarios.map((scenario) => {
      const [location = '', ...conditions] = scenario.split('@');
      return { location, conditions };
    }),
    jobs,
    mostRunners,
    onProgress: () => interruption.abort(),
    onFinished: ({ name }) => finished.push(name),
    signal: interruption.signal,
    program: path,
  });
  return { ...ran, finished, started: ran.clusters.map(({ fidelity }) => fidelity) };
}

it('runs another scenario while one only waits', async () => {
  const { finished, errors, folders, leftovers } = await run(['patient', 'other'], 2);
  // The patient one ends because the other ran; the reports of two processes may arrive in any order.
  expect({ finished: finished.toSorted(), errors, runners: folders.length }).toEqual({
    finished: ['other', 'patient'],
    errors: [],
    runners: 2,
  });
  expect(leftovers).toEqual(['mount /x', 'mount /x']);
});

it('runs each scenario on a node of its conditions, one node after the other if need be', async () => {
  const { finished, errors, started } = await run(
    ['plain', 'slow@slow-listing', 'also plain', 'slower@slow-listing'],
    1,
  );
  expect({ finished, errors }).toEqual({ finished: ['plain', 'also plain', 'slow', 'slower'], errors: [] });
  expect(started).toEqual([[], ['slow-listing']]);
});

it('starts a node under conditions for every three scenarios', async () => {
  const scenarios = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `${name}@slow-listing`);
  const { finished, started } = await run(scenarios, 8, { jobs: 8 });
  expect(finished).toHaveLength(7);
  expect(started.length).toBeLessThanOrEqual(3);
});

it('gives the scenario after a stuck one another node', async () => {
  const { finished, errors, folders } = await run(['stuck', 'next', 'last'], 1);
  expect({ finished, errors, runners: folders.length }).toEqual({
    finished: ['stuck', 'next', 'last'],
    errors: [],
    runners: 2,
  });
});

it('continues with the only cluster there is after a stuck scenario', async () => {
  const { finished, folders } = await run(['stuck', 'next'], 1, { kubernetes: true });
  expect({ finished, runners: folders.length }).toEqual({ finished: ['stuck', 'next'], runners: 1 });
});

it('gives each runner a cluster of Kubernetes of its own', async () => {
  const { clusters, finished } = await run(['patient', 'other'], 2, { jobs: 2, kubernetes: true });
  expect(finished.toSorted()).toEqual(['other', 'patient']);
  expect(clusters.map(({ name }) => name).toSorted()).toEqual([1, 2]);
});

it('runs what missed a budget beside others once more, when all have finished, on another node', async () => {
  const { finished, errors, discarded, folders } = await run(['late', 'other', 'next'], 2, { jobs: 2 });
  expect({ finished: finished.toSorted(), last: finished.at(-1), errors }).toEqual({
    finished: ['late', 'next', 'other'],
    last: 'late',
    errors: [],
  });
  const [[folder, ids] = []] = [...discarded];
  expect({ ids, isOfARunner: folders.includes(folder ?? '') }).toEqual({ ids: ['late'], isOfARunner: true });
});

it('takes a missed budget as it is if nothing else ran, or on the only cluster there is', async () => {
  for (const kubernetes of [false, true]) {
    const { finished, discarded, folders } = await run(['lonely', 'next'], 1, { kubernetes });
    expect({ finished, discarded: discarded.size }).toEqual({ finished: ['lonely', 'next'], discarded: 0 });
    for (const path of folders) rmSync(path, { recursive: true });
  }
});

it('keeps what was finished if a runner dies, and reports what did not run', async () => {
  const { finished, ...ran } = await run(['first', 'deadly', 'never'], 1);
  expect(finished).toEqual(['first']);
  expect(ran.errors).toEqual([
    'a runner ended in deadly: status 7',
    '1 scenario was not run, because no runner was left',
  ]);
});

it('keeps what was finished if the machine lacks something from then on', async () => {
  const { finished, errors } = await run(['first', 'full'], 1);
  expect({ finished, errors }).toEqual({ finished: ['first'], errors: ['the disk is full: make room'] });
});

it('takes no failure of a runner that an interruption has ended for one of the harness', async () => {
  expect(await run(['any'], 1, { starts: true })).toMatchObject({ finished: [], errors: [] });
});

it('cannot run if the machine lacks something from the start', async () => {
  const missing = [{ what: 'the disk is full', remedy: 'make room' }];
  await expect(run(['first'], 1, { broken: true })).rejects.toMatchObject({ missing });
});

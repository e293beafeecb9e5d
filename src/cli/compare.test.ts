import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BenchRecord } from '../../reports/bench/record.ts';
import { sampleBench, sampleCrash, sampleSeries } from '../../reports/bench/testing/sample-bench.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-compare-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

async function compare(...argv: readonly string[]) {
  const fake = createFakeContext({ cwd });
  const status = await rekindle(['compare', ...argv], fake.context);
  return { status, out: fake.stdout(), err: fake.stderr() };
}

function store(name: string, change: Partial<BenchRecord> = {}): string {
  writeFileSync(join(cwd, name), JSON.stringify(sampleBench(change)));
  return name;
}

const series = (agentMs: number) =>
  sampleSeries({
    crashes: Array.from({ length: 40 }, (_, index) => sampleCrash(index + 1, agentMs + (index % 5) / 10)),
  });

describe('two runs', () => {
  test('that are the same are said to be, by folder or by file', async () => {
    mkdirSync(join(cwd, 'run'));
    store('run/bench.json');
    const { status, out } = await compare(store('baseline.json'), 'run', '--fail-on', 'worse');
    expect(status).toBe(0);
    expect(out).toContain('agent: same (nothing in the agent’s hands has changed by more than matters)');
  });

  test('of which the second is slower fail where that is asked for', async () => {
    const [before, after] = [store('a.json', { series: [series(5)] }), store('b.json', { series: [series(25)] })];
    expect((await compare(before, after)).status).toBe(0);
    const { status, out } = await compare(before, after, '--fail-on', 'worse');
    expect(status).toBe(1);
    expect(out).toContain(
      'agent: worse (daemon restarted → replaced on the node, daemon restarted → replaced in the pod, ',
    );
    expect((await compare(after, before)).out).toContain('agent: better');
  });

  test('of which the second lost a pod are worse', async () => {
    const { readable: _, ...moments } = sampleCrash(1, 5).moments;
    const crashes = [...series(5).crashes.slice(1), { ...sampleCrash(1, 5), moments }];
    const lost = store('b.json', { series: [sampleSeries({ crashes })] });
    const { out } = await compare(store('a.json', { series: [series(5)] }), lost);
    expect(out).toContain('agent: worse (after 1 of 40 crashes the pod did not read again; before, 0 of 40)');
  });
});

test('each run but the first is held against the first', async () => {
  const { out } = await compare(store('a.json'), store('b.json'), store('c.json'));
  expect(out).toMatch(/a\.json → b\.json[\s\S]*a\.json → c\.json/);
});

test('a budget that is not kept fails, and is printed', async () => {
  const { status, out } = await compare(store('a.json'), store('b.json'), '--budget', 'p99=1ms', '--budget', 'max=1s');
  expect(status).toBe(1);
  expect(out).toContain('✘ budget p99=1ms: agent, ready-to-readable is 5.40 ms');
  expect(out).toContain('✔ budget max=1s: agent, ready-to-readable is 5.40 ms');
});

test('runs that are not alike are compared only where that is insisted on', async () => {
  const machine = { ...sampleBench().machine, cpus: 64 };
  const names = [store('a.json'), store('b.json', { machine })];
  const refused = await compare(...names);
  expect(refused.status).toBe(2);
  expect(refused.err).toContain(
    'cannot be compared: machine: Linux 6.8.0 with 2 CPUs and 8.0 GiB and Linux 6.8.0 with 64',
  );
  const { status, out } = await compare(...names, '--anyway');
  expect(status).toBe(0);
  expect(out).toContain('not alike: machine:');
});

describe('what cannot be compared is said in a sentence, with status 2', () => {
  const kubernetes = { ...sampleBench().fidelity, place: 'Kubernetes v1.34.4' };
  const cases: readonly (readonly [string, () => readonly string[], string])[] = [
    ['one run', () => [store('a.json')], 'compare takes two runs or more'],
    ['a folder without', () => [store('a.json'), '.'], 'no benchmark in "." (ENOENT): name the folder of a run'],
    [
      'other fidelity',
      () => [store('a.json'), store('b.json', { fidelity: kubernetes })],
      'place: sandbox and Kubernetes v1.34.4; --anyway compares them nevertheless',
    ],
    [
      'other conditions',
      () => [
        store('a.json'),
        store('b.json', { series: [sampleSeries({ conditions: { ...sampleSeries().conditions, pods: 9 } })] }),
      ],
      'conditions of agent: datasets 1, fault sigkill, pacingMs 50, pods 1, rate 1000 and datasets 1',
    ],
    [
      'a CPU limit of the agent',
      () => [
        store('a.json'),
        store('b.json', {
          series: [sampleSeries({ conditions: { ...sampleSeries().conditions, agentCpuMillis: 200 } })],
        }),
      ],
      'rate 1000 and agentCpuMillis 200, datasets 1',
    ],
    [
      'other series',
      () => [store('a.json'), store('b.json', { series: [sampleSeries({ id: 'pods=1/agent' })] })],
      'have no series in common: agent; pods=1/agent',
    ],
    [
      'another version',
      () => [store('a.json', { schema: 'rekindle.bench/0' as never }), store('b.json')],
      'was written as',
    ],
    ['other phases', () => [store('a.json', { phases: ['x'] }), store('b.json')], 'a.json: has other phases (x)'],
    [
      'a budget',
      () => [store('a.json'), store('b.json'), '--budget', 'p99=fast'],
      'bad --budget "p99=fast": expected ',
    ],
    [
      'a verdict',
      () => [store('a.json'), store('b.json'), '--fail-on', 'bad'],
      'unknown verdict "bad": accepted are better',
    ],
    ['a page that cannot be written', () => [store('a.json'), store('b.json'), '--html', 'no/x.html'], 'bad --html: '],
    ['a tolerance', () => [store('a.json'), store('b.json'), '--tolerance', 'x'], 'bad --tolerance "x": accepted are'],
  ];

  test.each(cases)('%s', async (_, argv, says) => {
    const { status, err } = await compare(...argv());
    expect(status).toBe(2);
    expect(err).toContain(says);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  test('a record that is cut', async () => {
    writeFileSync(join(cwd, 'cut.json'), JSON.stringify(sampleBench()).slice(0, 300));
    const { status, err } = await compare('cut.json', store('b.json'));
    expect([status, err]).toEqual([2, 'rekindle: cannot compare: cut.json: is cut in the middle\n']);
  });
});

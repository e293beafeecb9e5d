import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleBench } from '../../reports/bench/testing/sample-bench.ts';
import { linearSeries } from '../simulate/fleet/testing/sample-fleet.ts';
import { sampleRun } from '../timeline/testing/sample-run.ts';
import { createFakeContext, type FakeContextOptions } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-simulate-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

const fleet = `nodes: 2
podsPerNode: 4
datasetsPerNode: 2
days: 30
causes:
  crash: { perDaemonYear: 50 }
`;

async function simulate(args: readonly string[], yaml = fleet, options: Partial<FakeContextOptions> = {}) {
  writeFileSync(join(cwd, 'fleet.yaml'), yaml);
  writeFileSync(join(cwd, 'bench.json'), JSON.stringify(sampleBench()));
  const { context, stdout, stderr } = createFakeContext({ cwd, ...options });
  const status = await rekindle(['simulate', ...args], context);
  const read = (file: string) => readFileSync(join(cwd, 'results', context.runId, file), 'utf8');
  return { status, out: stdout(), err: stderr(), read };
}

describe('rekindle simulate --fleet', () => {
  it('prints each means of recovery, and writes fleet.json and fleet.html', async () => {
    const { status, out, err, read } = await simulate(['--fleet', 'fleet.yaml', '--seed', '7']);
    expect(status).toBe(0);
    for (const title of ['nothing', 'restarting the pod', 'a plain poll', "Rekindle's agent", 'a standby', 'takeover'])
      expect(out).toMatch(new RegExp(`^${title}.*%`, 'm'));
    expect(out).toContain('--seed 7 repeats it');
    expect(err).toContain('seed 7');
    expect(JSON.parse(read('fleet.json'))).toMatchObject({ schema: 'rekindle.fleet/1', seed: 7, file: 'fleet.yaml' });
    expect(read('fleet.html')).toContain('8 pods on 2 nodes, 30 days');
  });

  it('draws a seed and prints it, and the seed repeats the forecast bit for bit', async () => {
    const first = await simulate(['--fleet', 'fleet.yaml'], fleet, { random: () => 0.25 });
    expect(first.err).toContain('seed 1073741824');
    const again = await simulate(['--fleet', 'fleet.yaml', '--seed', '1073741824']);
    const means = ({ read }: typeof first) => JSON.parse(read('fleet.json')).means;
    expect(means(again)).toEqual(means(first));
  });

  it('ends with status 130 when it is interrupted, and writes nothing', async () => {
    const { status, err, read } = await simulate(['--fleet', 'fleet.yaml'], fleet, { signal: AbortSignal.abort() });
    expect(status).toBe(130);
    expect(err).toContain('interrupted: nothing was written');
    expect(() => read('fleet.json')).toThrow('ENOENT');
  });

  it.each([
    [
      'a field',
      'nodes: 2',
      'nodes: 2\nnode: 2',
      'fleet.yaml:2:1: node is not a field of a fleet; accepted here: nodes,',
    ],
    [
      'a unit',
      '{ perDaemonYear: 50 }',
      '{ perDaemonYear: 50/d }',
      'fleet.yaml:6:27: causes.crash.perDaemonYear is "50/d"; accepted: a number',
    ],
    [
      'a rate',
      'perDaemonYear: 50',
      'perDaemonYear: 1000000',
      'causes.crash.perDaemonYear is 1000000; accepted: a number from 0 to 10000',
    ],
    ['a negative rate', 'perDaemonYear: 50', 'perDaemonYear: -1', 'accepted: a number from 0 to 10000'],
    [
      'a time without a unit',
      'days: 30',
      'poll: { period: 5 }',
      'poll.period is 5; accepted: a time, as 250ms, 5s, 2m, 12h or 30d',
    ],
    ['a time of another unit', 'days: 30', 'poll: { period: 5 weeks }', 'accepted: a time, as 250ms'],
    [
      'a p99 below the median',
      'days: 30',
      'daemon: { start: { median: 2s, p99: 1s } }',
      'accepted: a p99 that is not below the median',
    ],
    [
      'more datasets than pods',
      'datasetsPerNode: 2',
      'datasetsPerNode: 5',
      'accepted: at most 4, because each dataset has a pod on each node',
    ],
    [
      'upgrades without an end',
      '  crash: {',
      '  nodeUpgrade: { perYear: 300, nodesAtOnce: 1, takes: 1d }\n  crash: {',
      'causes.nodeUpgrade.perYear is 300; accepted: at most 182.5',
    ],
    [
      'another means',
      'days: 30',
      'compare: [hope]',
      'compare.0 is "hope"; accepted: nothing, restart, poll, ordinary, standby, takeover',
    ],
    ['a benchmark that is not there', 'days: 30', 'measured: nowhere.json', 'nowhere.json cannot be read: ENOENT'],
    [
      'a benchmark that is none',
      'days: 30',
      'measured: fleet.yaml',
      'measured cannot be read: fleet.yaml: is not JSON',
    ],
    ['no YAML', 'nodes: 2', 'nodes: [', 'is not YAML'],
  ])('refuses %s that cannot be, in one sentence with status 2', async (_, from, to, says) => {
    const { status, err } = await simulate(['--fleet', 'fleet.yaml'], fleet.replace(from, to));
    expect(err).toMatch(/^rekindle: bad fleet fleet\.yaml.*\n$/);
    expect(err).toContain(says);
    expect(status).toBe(2);
  });

  it.each([
    [['--fleet', 'nope'], 'no such fleet; known: large, small, or the path of a YAML file'],
    [['--fleet', './nope.yaml'], 'cannot be read: ENOENT'],
    [['--fleet', 'small', '--seed', '-1'], 'Accepted are whole numbers from 0 to 4294967295'],
    [['--fleet', 'small', '--seed', '7:1'], 'It is of version 7 of the simulation'],
    [['--against-kernel', '--check', 'x'], 'omit --fleet and --check'],
    [['--fleet', 'small', '--check', 'x'], 'one of --fleet and --check is needed'],
    [['--check', 'nowhere'], 'bad results nowhere: no results: accepted are the folder of a run of bench or conform'],
    [['--check', 'fleet.yaml'], 'bad results fleet.yaml: fleet.yaml: is not JSON'],
    [['--check', 'bench.json'], 'nothing to predict: accepted are runs of bench with --vary pods=1,10,100'],
  ])('refuses %j', async (args, says) => {
    const { status, err } = await simulate(args);
    expect(err).toContain(says);
    expect(status).toBe(2);
  });
});

describe('rekindle simulate --check', () => {
  it('prints predicted and measured of a benchmark and of the crash loops of a run', async () => {
    const folder = join(cwd, 'run');
    mkdirSync(folder);
    const backoff = [0, 10].map((seconds, index) => ({
      ...{ crash: index + 1, ranMs: 5000, because: 'first' as const, predictedMs: seconds * 1000 },
      ...{ waitingNs: seconds * 1e9, recoveryNs: 1e9 },
    }));
    const { record } = sampleRun({ operations: 10 });
    const scenarios = record.scenarios.map((scenario, index) => (index === 0 ? { ...scenario, backoff } : scenario));
    writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...record, scenarios }));
    const bench = sampleBench({ series: [linearSeries(1), linearSeries(5)] });
    writeFileSync(join(folder, 'bench.json'), JSON.stringify(bench));
    const { status, out } = await simulate(['--check', 'run']);
    expect(out).toMatch(/^1 pod: crash → first good read +\d+ +\d+ +[+−]\d+ % +5 +✔$/m);
    expect(out).toMatch(/^crash loop, crash 2: 10 s \(doubled\) /m);
    expect(status).toBe(0);
  });
});

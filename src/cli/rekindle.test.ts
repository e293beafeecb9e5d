import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CannotRun } from '../../clusters/cluster.ts';
import { featurePath } from '../gherkin.ts';
import type { RunRecord } from '../timeline/record.ts';
import { sampleRun } from '../timeline/testing/sample-run.ts';
import type { RunOptions } from '../verbs.ts';
import { createFakeContext, type FakeContextOptions } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-cli-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

async function run(argv: readonly string[], options: Omit<FakeContextOptions, 'cwd'> = {}) {
  const fake = createFakeContext({ cwd, ...options });
  const status = await rekindle(argv, fake.context);
  return { ...fake, status, out: fake.stdout(), err: fake.stderr() };
}

describe('what is asked for reaches the scenario engine', () => {
  test('conform by default judges the shipped profile in the sandbox', async () => {
    const { conformed, status, context } = await run(['conform']);
    expect(status).toBe(0);
    expect(conformed).toEqual([
      {
        runId: context.runId,
        out: join(cwd, 'results'),
        seed: 2 ** 31,
        cluster: 'sandbox',
        profile: 'rekindle',
        paths: [],
        jobs: expect.any(Number),
        conditions: [],
        flags: [],
        environment: context.environment,
      },
    ]);
    expect(readdirSync(join(cwd, 'results'))).toEqual([]);
  });

  test('conform takes node conditions, each once', async () => {
    const { conformed } = await run(['conform', '--node', 'unreadable-file,slow-listing,unreadable-file']);
    expect(conformed[0]?.conditions).toEqual(['unreadable-file', 'slow-listing']);
  });

  test('conditions are listed with a sentence and public reports', async () => {
    const { out, status } = await run(['conditions']);
    expect(status).toBe(0);
    expect(out).toMatch(/^second-kubelet\n {4}another process is called kubelet .*\n {4}reported in kind#1614$/m);
  });

  test('conform takes tags, profile, tier, seed, folder and features', async () => {
    mkdirSync(join(cwd, 'f'));
    writeFileSync(join(cwd, 'f', 'a.feature'), '');
    const flags = ['--tags', '@C2 and not (@C3 or @fault:sigkill)', '--profile', 'ack-fluid', '--kernel-tier', '5.12'];
    const { conformed, status } = await run([
      'conform',
      ...flags,
      '--seed',
      '7',
      '--out',
      'a/b',
      'f',
      'f/a.feature:3:9',
    ]);
    expect(status).toBe(0);
    expect(conformed[0]).toMatchObject({
      tags: '@C2 and not (@C3 or @fault:sigkill)',
      profile: 'ack-fluid',
      kernelTier: '5.12',
      seed: 7,
      out: join(cwd, 'a/b'),
      paths: [join(cwd, 'f'), `${join(cwd, 'f/a.feature')}:3:9`],
      flags: ['--profile', 'ack-fluid', '--out', 'a/b', '--kernel-tier', '5.12'],
    });
  });

  describe('conform --only-failed', () => {
    const lastRun = (change: (record: RunRecord) => RunRecord = (record) => record) => {
      mkdirSync(join(cwd, 'results/latest'), { recursive: true });
      writeFileSync(join(cwd, 'results/latest/record.json'), JSON.stringify(change(sampleRun().record)));
    };

    test('selects what failed or was inconclusive in the last run, with its seed', async () => {
      lastRun();
      const { conformed, status } = await run(['conform', '--only-failed']);
      const open = sampleRun().record.scenarios.filter((each) => ['fail', 'inconclusive'].includes(each.status));
      expect(status).toBe(0);
      expect(conformed[0]).toMatchObject({
        seed: 424242,
        paths: open.map(({ uri, line }) => `${featurePath(uri)}:${line}`),
        flags: [],
      });
      expect(open).toHaveLength(2);
    });

    test('prefers a seed that is given', async () => {
      lastRun();
      expect((await run(['conform', '--only-failed', '--seed', '7'])).conformed[0]?.seed).toBe(7);
    });

    test.each<[string, readonly string[], (() => void) | undefined, string]>([
      ['there is no run', [], undefined, 'needs a finished run in'],
      ['tags are given', ['--tags', '@C2'], lastRun, '--only-failed selects the scenarios: omit it, or --all'],
      [
        'the last run was a crash',
        [],
        () => lastRun((record) => ({ ...record, command: ['rekindle', 'crash'] })),
        'is one of crash',
      ],
      ['the last run judged another profile', ['--profile', 'ack-fluid'], lastRun, 'add --profile rekindle'],
      [
        'nothing failed',
        [],
        () => lastRun((record) => ({ ...record, verdict: 'inconclusive', scenarios: [] })),
        'nothing failed in',
      ],
    ])('is refused if %s', async (_, flags, prepare, says) => {
      prepare?.();
      const { status, err, conformed } = await run(['conform', '--only-failed', ...flags]);
      expect(err).toContain(says);
      expect(status).toBe(2);
      expect(conformed).toEqual([]);
    });
  });

  test('a profile may be a file', async () => {
    writeFileSync(join(cwd, 'mine.yaml'), `${profile}agent: {}\n`);
    const { conformed } = await run(['conform', '--profile', 'mine.yaml']);
    expect(conformed[0]?.profile).toBe(join(cwd, 'mine.yaml'));
  });

  test('crash by default kills process 1 and recovers', async () => {
    const { crashed } = await run(['crash']);
    expect(crashed[0]).toMatchObject({ fault: 'kill-1', recovery: true, hold: false, command: [] });
  });

  test('crash takes a program with flags of its own after --', async () => {
    const { crashed } = await run([
      'crash',
      '--no-recovery',
      '--hold',
      '--fault',
      'sigkill',
      '--',
      'ls',
      '-l',
      '--seed',
    ]);
    expect(crashed[0]).toMatchObject({
      fault: 'sigkill',
      recovery: false,
      hold: true,
      command: ['ls', '-l', '--seed'],
      watchMs: 10_000,
    });
  });

  test.each([
    ['conform', 'record.json'],
    ['crash', 'record.json'],
    ['bench', 'bench.json'],
  ])('%s --json prints only %s on standard output', async (command, file) => {
    writeFileSync(join(cwd, file), '{"of":"the run"}');
    const verb = async ({ environment }: RunOptions) => {
      environment.stdout.write('narration\n');
      return { verdict: 'pass', leftovers: [], resultsDir: cwd } as const;
    };
    const { out, err } = await run([command, '--json'], { verb });
    expect([out, err]).toEqual(['{"of":"the run"}', 'narration\n']);
  });

  test.each([['faults'], ['conditions'], ['claims'], ['profile', 'list']])(
    '%s --json prints JSON',
    async (...command) => {
      const { out, status } = await run([...command, '--json']);
      expect(status).toBe(0);
      expect(Object.keys(JSON.parse(out)).length).toBeGreaterThan(1);
    },
  );

  test('crash takes what its program must print, and how long to wait for it', async () => {
    const { crashed } = await run(['crash', '--expect', 'step', '--for', '1m', '--', 'train']);
    expect(crashed[0]).toMatchObject({ expect: 'step', watchMs: 60_000, command: ['train'] });
  });

  test.each([
    [['--expect', 'x'], '--expect is about a COMMAND'],
    [['--for', '5s'], '--for is about a COMMAND'],
    [['--no-recovery', '--expect', 'x', '--', 'ls'], '--expect cannot be met with --no-recovery'],
  ])('crash %j is refused', async (flags, says) => {
    const { crashed, err, status } = await run(['crash', ...flags]);
    expect([crashed, status]).toEqual([[], 2]);
    expect(err).toContain(says);
  });
});

test('bench takes conditions, one of them with several values, and what it is measured against', async () => {
  const flags = [
    '--vary',
    'pods=1, 10',
    '--pacing',
    '2s',
    '--agent-cpu',
    '0.2',
    '--warm-up',
    '0',
    '--baselines',
    '--standby',
  ];
  expect((await run(['bench', ...flags, '--peer', 'sh --x'])).benched[0]).toMatchObject({
    vary: { name: 'pods', points: [{ pods: 1 }, { pods: 10 }] },
    pacingMs: 2000,
    agentCpuMillis: 200,
    warmUp: 0,
    baselines: true,
    standby: true,
    peer: 'sh --x',
    fault: 'sigkill',
  });
});

test('bench measures every means of recovery in one run', async () => {
  const flags = ['--baselines', '--standby', '--takeover'];
  expect((await run(['bench', ...flags])).benched[0]).toMatchObject({ baselines: true, standby: true, takeover: true });
});

test('bench --crash-loop crashes ten times without a pause, with and without a standby', async () => {
  const loop = { crashLoop: true, standby: true, warmUp: 0, pacingMs: 0 };
  expect((await run(['bench', '--crash-loop'])).benched[0]).toMatchObject({ ...loop, crashes: 10 });
  expect((await run(['bench', '--crash-loop', '--crashes', '4'])).benched[0]).toMatchObject({ ...loop, crashes: 4 });
});

test('bench by default crashes 50 times under 1,000 operations a second', async () => {
  expect((await run(['bench'])).benched[0]).toMatchObject({ crashes: 50, rate: 1000 });
  expect((await run(['bench', '--crashes', '3', '--rate', '200'])).benched[0]).toMatchObject({ crashes: 3, rate: 200 });
});

const profile =
  'version: 2\nname: mine\ntitle: Mine\npromises: {class: enter, readWriteScope: volume, subPath: refuse}\nbudgets: {readyToReadableMs: 1, outageMs: 1}\n';
const kubeConfig = JSON.stringify({
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://c' } }],
  users: [{ name: 'u', user: {} }],
});
const existing = ['--cluster', 'existing', '--context', 'c', '--kubeconfig', 'config', '--i-know-this-breaks-mounts'];

test.each([
  ['fluid', { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid', container: 'plugins' }],
  ['rekindle', undefined],
])('conform judges what the profile %s finds in an existing cluster', async (name, theirs) => {
  writeFileSync(join(cwd, 'config'), kubeConfig);
  const { conformed } = await run(['conform', '--profile', name, ...existing]);
  expect(conformed[0]?.kubernetes).toEqual({
    cluster: 'existing',
    kubeConfig: expect.any(String),
    ...(theirs && { theirs }),
  });
});

describe('exit status', () => {
  test.each([
    ['pass', 0],
    ['fail', 1],
    ['inconclusive', 4],
  ] as const)('%s ends with %d', async (verdict, status) => {
    const ended = await run(['conform'], { verb: async () => ({ verdict, leftovers: [], resultsDir: '' }) });
    expect(ended.status).toBe(status);
  });

  test('leftovers end with 5 and are listed, whatever the verdict', async () => {
    const leftovers = ['mount /x: EBUSY'];
    const { status, err } = await run(['crash'], {
      verb: async () => ({ verdict: 'pass', leftovers, resultsDir: '' }),
    });
    expect(status).toBe(5);
    expect(err).toBe('rekindle: could not clean up: mount /x: EBUSY\n');
  });

  test('a machine that cannot run it ends with 3 and a sentence for each missing thing, before anything starts', async () => {
    const requirements = async () => [
      { what: '/dev/fuse is not there', remedy: 'modprobe fuse' },
      { what: 'unshare is not on the PATH', remedy: 'install util-linux' },
    ];
    const { status, err, conformed } = await run(['conform'], { requirements });
    expect(status).toBe(3);
    expect(err.split('\n')).toEqual([
      'rekindle: cannot run here: /dev/fuse is not there: modprobe fuse',
      'rekindle: cannot run here: unshare is not on the PATH: install util-linux',
      '',
    ]);
    expect(conformed).toEqual([]);
  });

  test('a cluster that finds out later that it cannot run ends with 3 too', async () => {
    const verb = () => Promise.reject(new CannotRun([{ what: 'store refuses', remedy: 'check the keys' }]));
    const { status, err } = await run(['conform'], { verb });
    expect(status).toBe(3);
    expect(err).toBe('rekindle: cannot run here: store refuses: check the keys\n');
  });

  test.each(['ENOSPC', 'EADDRINUSE'])('%s in a cause is what this machine lacks', async (code) => {
    const cause = Object.assign(new Error(`${code}: no`), { code });
    const { status, err } = await run(['crash'], { verb: () => Promise.reject(new Error('broke', { cause })) });
    expect(status).toBe(3);
    expect(err).toContain(`cannot run here: ${code}: no: `);
  });

  test('a clean-up that fails as well hides neither the failure nor its status', async () => {
    const missing = new CannotRun([{ what: 'store refuses', remedy: 'check the keys' }]);
    const verb = () => Promise.reject(new SuppressedError(new Error('clean-up broke'), missing));
    const { status, err } = await run(['conform'], { verb });
    expect({ status, err }).toEqual({ status: 3, err: 'rekindle: cannot run here: store refuses: check the keys\n' });
  });

  test('an exception of our own ends with 4 in one sentence, with a stack only for DEBUG', async () => {
    const verb = () => Promise.reject(new Error('unexpected'));
    const plain = await run(['conform'], { verb });
    expect(plain.status).toBe(4);
    expect(plain.err).toMatch(/^rekindle: internal error.*: unexpected; set DEBUG=1 to see where\n$/);
    expect((await run(['conform'], { verb, env: { DEBUG: '1' } })).err).toContain('rekindle.test.ts');
  });
});

describe('a wrong argument ends with 2 and one sentence, and nothing is started', () => {
  test.each<[string, string[], string]>([
    [
      'no command',
      [],
      'a command is missing: accepted are conform, crash, bench, compare, simulate, deploy, status, explain, standby, doctor, faults,',
    ],
    ['unknown command', ['conformm'], "unknown command 'conformm'"],
    [
      'unknown flag',
      ['conform', '--foo'],
      "unknown option '--foo': accepted are --all, --tags, --only-failed, --profile, --node, --require, --jobs, --cluster,",
    ],
    ['unknown flag first', ['--foo'], "unknown option '--foo': accepted are --version, --help"],
    ['unknown tag', ['conform', '--tags', '@C9'], 'unknown tag "@C9": accepted are @A1, @A2, @C1, @C2,'],
    [
      'no tag',
      ['conform', '--tags', 'C2'],
      'bad tag expression "C2": "C2" is neither a tag, as in @C2, nor and, or, not',
    ],
    [
      'unknown cluster',
      ['conform', '--cluster', 'moon'],
      "'moon' is invalid. Allowed choices are sandbox, kind, minikube, existing.",
    ],
    ['a flag of kind in the sandbox', ['conform', '--keep'], '--keep is for --cluster kind and minikube, not for'],
    ['a context for kind', ['conform', '--cluster', 'kind', '--context', 'c'], '--context is for --cluster existing'],
    [
      'nodes of nobody',
      ['conform', '--cluster', 'kind', '--nodes', '0'],
      "'--nodes <number>' argument '0' is invalid. Accepted are whole numbers from 1 to 8.",
    ],
    [
      'bad name to reuse',
      ['conform', '--cluster', 'kind', '--reuse', 'A b'],
      "'--reuse <name>' argument 'A b' is invalid. Accepted are names of lower case",
    ],
    [
      'unknown node condition',
      ['conform', '--node', 'slow-listing,moonlight'],
      'unknown node condition "moonlight": accepted are cgroup-v2, foreign-inline-volume, fuse-on-top, hung-neighbours,',
    ],
    [
      'a node condition on kind',
      ['conform', '--cluster', 'kind', '--node', 'slow-listing'],
      '--node is for the sandbox',
    ],
    ['jobs on minikube', ['conform', '--cluster', 'minikube', '--jobs', '2'], 'scenarios share one cluster'],
    ['existing without context', ['conform', '--cluster', 'existing'], '--cluster existing needs --context'],
    [
      'existing without consent',
      ['conform', '--cluster', 'existing', '--context', 'c'],
      'consent with --i-know-this-breaks-mounts',
    ],
    [
      'a profile without an agent to run',
      ['conform', '--profile', 'fluid', '--cluster', 'kind'],
      'the profile fluid has no agent for --cluster kind: install it in a cluster of yours',
    ],
    [
      'unknown profile',
      ['conform', '--profile', 'x'],
      'bad profile x: no such profile; known: ack-fluid, fluid, rekindle,',
    ],
    ['unknown fault', ['crash', '--fault', 'x'], 'unknown fault "x": accepted are abort, '],
    ['unknown fault beside another', ['crash', '--fault', 'sigkill+x'], 'unknown fault "x": accepted are abort, '],
    ['fault that is no crash', ['crash', '--fault', 'agent-kill'], '"agent-kill" alone crashes no daemon'],
    ['faults of which none is a crash', ['crash', '--fault', 'agent-kill+agent-kill'], 'crashes no daemon'],
    ['unknown tier', ['crash', '--kernel-tier', '4'], "argument '4' is invalid. Allowed choices are 6.5, 5.12, 5.10."],
    [
      'bad seed',
      ['crash', '--seed', '-1'],
      "'--seed <number>' argument '-1' is invalid. Accepted are whole numbers from 0 to 4294967295.",
    ],
    ['seed too large', ['conform', '--seed', '4294967296'], "argument '4294967296' is invalid."],
    [
      'no crashes',
      ['bench', '--crashes', '0'],
      "argument '0' is invalid. Accepted are whole numbers from 1 to 100000.",
    ],
    [
      'condition',
      ['bench', '--vary', 'luck=1'],
      "argument 'luck=1' is invalid. Unknown condition: accepted are fault, pods, datasets, rate",
    ],
    ['a pace in a crash loop', ['bench', '--crash-loop', '--pacing', '1s'], '--pacing does not go with --crash-loop'],
    ['takeover in a crash loop', ['bench', '--crash-loop', '--takeover'], '--takeover does not go with --crash-loop'],
    ['takeover by another daemon', ['bench', '--takeover', '--daemon', 's3fs'], 's3fs cannot continue on a connection'],
    ['takeover with pods', ['bench', '--takeover', '--vary', 'pods=1,2'], '--takeover is measured with one pod'],
    ['no values', ['bench', '--vary', 'pods'], "argument 'pods' is invalid. Accepted is NAME=VALUE,VALUE"],
    [
      'value of a condition',
      ['bench', '--vary', 'pods=1,x'],
      "argument 'pods=1,x' is invalid. Accepted are whole numbers from 1",
    ],
    ['value twice', ['bench', '--vary', 'pods=1,1'], "argument 'pods=1,1' is invalid. Each value must be given once."],
    ['bench fault', ['bench', '--fault', 'flood'], 'unknown fault "flood": accepted are abort, '],
    ['pacing', ['bench', '--pacing', '5'], "argument '5' is invalid. Accepted are times, as 0, 250ms, 5s or 2m."],
    ['CPU', ['bench', '--agent-cpu', '2m'], "argument '2m' is invalid. Accepted are 10m and more"],
    ['no peer', ['bench', '--peer', ' '], 'bad --peer "": a command is accepted'],
    ['peer that is not there', ['bench', '--peer', './x y'], 'bad --peer "./x y": no executable program "./x"'],
    [
      'peer profile of a volume',
      ['bench', '--peer', join(import.meta.dirname, '../../fakes/csi-drivers/children.yaml')],
      'the profile describes a volume',
    ],
    [
      'peer profile that is not there',
      ['bench', '--peer', 'none.yaml'],
      'bad profile none.yaml: the profile cannot be',
    ],
    ['peer profile without a program', ['bench', '--peer', 'rekindle'], 'the profile names no agent.command'],
    ['peer profile whose program is missing', ['bench', '--peer', 'fluid'], 'no executable program "fluid-csi"'],
    [
      'sandbox only',
      ['bench', '--cluster', 'kind', '--baselines'],
      '--baselines is for the sandbox: with --cluster kind',
    ],
    ['many pods', ['bench', '--cluster', 'kind', '--pods', '2'], '--pods 2 is for the sandbox: with --cluster kind'],
    ['bad rate', ['bench', '--rate', '1e3'], "argument '1e3' is invalid. Accepted are whole numbers from 1 to 10000."],
    ['missing value', ['conform', '--seed'], "option '--seed <number>' argument missing"],
    ['unknown claim', ['conform', '--require', 'C3,X9'], 'unknown claim "X9": accepted are '],
    ['missing features', ['conform', 'nowhere'], 'no features at "nowhere": accepted are .feature files'],
    ['unwritable results', ['conform', '--out', '/proc/x/y'], 'cannot write to "/proc/x/y" (ENOENT)'],
    ['bad run id', ['clean', '--run', '../etc'], 'bad run id "../etc": it looks like 20261122-134501-k3f9'],
    ['missing results', ['report', 'nowhere'], 'no record.json in "nowhere" (ENOENT)'],
    ['report of nothing', ['report'], "missing required argument 'results'"],
    ['too many arguments', ['doctor', 'x'], "too many arguments for 'doctor'"],
  ])('%s', async (_, argv, says) => {
    const { status, out, err, conformed, crashed } = await run(argv);
    expect(err).toContain(says);
    expect(err.match(/\n/g)).toHaveLength(1);
    expect(out).toBe('');
    expect(status).toBe(2);
    expect([...conformed, ...crashed]).toEqual([]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('reports a profile with a wrong field in the words of its parser', async () => {
    writeFileSync(join(cwd, 'mine.yaml'), `gatee: 1\n${profile}`);
    const { status, err } = await run(['conform', '--profile', 'mine.yaml']);
    expect(status).toBe(2);
    expect(err).toMatch(/^rekindle: bad profile mine\.yaml:1:1: gatee is not a field of a profile; .*\n$/);
  });

  test('refuses a profile that does not say where it is installed', async () => {
    writeFileSync(join(cwd, 'mine.yaml'), `${profile}agent:\n  command: [/opt/x]\n`);
    writeFileSync(join(cwd, 'config'), kubeConfig);
    const { status, err } = await run(['conform', '--profile', 'mine.yaml', ...existing]);
    expect(status).toBe(2);
    expect(err).toContain('the profile mine does not say which DaemonSet of the cluster it is about');
  });

  test('a folder of results that could be made only in part is taken back', async () => {
    writeFileSync(join(cwd, 'file'), '');
    const { status } = await run(['conform', '--out', 'file/x']);
    expect(status).toBe(2);
    expect(existsSync(join(cwd, 'results'))).toBe(false);
  });
});

describe('help', () => {
  test.each([[['--help']], [['help']], [['conform', '--help']], [['help', 'crash']]])(
    '%j teaches by examples',
    async (argv) => {
      const { status, out, err } = await run(argv);
      expect(status).toBe(0);
      expect(out).toContain('Examples:\n  rekindle ');
      expect(err).toBe('');
    },
  );

  test('does not say that a flag is off, or a list empty, if it is not given', async () => {
    const out = (await Promise.all(['bench', 'compare', 'crash'].map((verb) => run([verb, '--help'])))).map(
      (each) => each.out,
    );
    expect(out.join('')).not.toMatch(/default: (false|\[\])/);
    expect(out.join('')).toContain('(default: "sigkill")');
  });

  test('--version prints the version', async () => {
    expect(await run(['--version'])).toMatchObject({ status: 0, out: '1.2.3\n', err: '' });
  });
});

describe('what there is', () => {
  test.each([
    ['claims', 'L2  Only read-only datasets are recovered.'],
    ['faults', 'sigkill  (C3)'],
  ])('is listed by %s', async (command, line) => {
    const { status, out } = await run([command]);
    expect(status).toBe(0);
    expect(out).toContain(`${line}\n`);
  });
});

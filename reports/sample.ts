import { recoveries } from './phases.ts';
import type {
  CheckRecord,
  HistoryEvent,
  ProbeOperation,
  Run,
  ScenarioRecord,
  ScenarioStatus,
  StepRecord,
} from './record.ts';
import { recordSchema } from './record.ts';

/** A made-up run for tests, screenshots and measurements: the same input gives the same run, byte for byte. */

export interface SampleOptions {
  /** Probe operations a second. */
  readonly rate?: number;
  /** Probe operations of each scenario. */
  readonly operations?: number;
  /** How often the built-in scenarios are repeated, under other ids. */
  readonly rounds?: number;
}

interface Plot {
  readonly id: string;
  readonly feature: string;
  readonly rule?: string;
  readonly name: string;
  readonly claims: readonly string[];
  readonly fault?: string;
  /** Milliseconds from the crash to the daemon's return; absent where it stays away. */
  readonly away?: readonly number[];
  readonly gate?: 'off';
  readonly hang?: true;
  readonly status: ScenarioStatus;
  readonly reason?: string;
  readonly checks: readonly CheckRecord[];
  readonly mountLines?: { readonly before: number; readonly after: number };
}

const ms = 1e6;
const where = 'default/demo-app/demo';
const probe = `${where}:/data`;
const volume = 'default-demo-dataset';
const target = 'default/demo-dataset-jindofs-fuse-x7k2p/jindofs-fuse';

const check = (name: string, claims: string, says: string, verdict: CheckRecord['verdict'] = 'pass'): CheckRecord => ({
  name,
  claims: claims.split(' '),
  verdict,
  says,
});

const plots: readonly Plot[] = [
  {
    id: 'crash-kill-1',
    feature: 'Crash and recovery',
    rule: 'A pod that reads a dataset reads it again, and is not restarted',
    name: 'the pod reads again after kill 1 in the FUSE pod',
    claims: ['C1', 'C2', 'C3'],
    fault: 'kill-1',
    away: [180],
    status: 'pass',
    checks: [
      check(
        'the loop ran through everything',
        'C1',
        'The loop printed a listing or an error each second, 7 times in 7 s.',
      ),
      check('the pod reads the same files again', 'C3', 'All 1 161 reads after the recovery had the expected SHA-256.'),
      check('the pod was not restarted', 'C3', 'Container id and restart count (0) are those from before the crash.'),
    ],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'crash-sigkill',
    feature: 'Crash and recovery',
    rule: 'A pod that reads a dataset reads it again, and is not restarted',
    name: 'the pod reads again after the daemon is killed from outside',
    claims: ['C3', 'L1'],
    fault: 'sigkill',
    away: [150],
    status: 'pass',
    checks: [
      check(
        'the errors are the documented ones',
        'L1',
        'Failed operations answered ENOTCONN or ECONNABORTED, and nothing else.',
      ),
      check('the pod reads the same files again', 'C3', 'All reads after the recovery had the expected SHA-256.'),
    ],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'mount-table-growth',
    feature: 'Crash and recovery',
    rule: 'Recovery leaves nothing behind',
    name: 'three crashes leave the mount table as long as it was',
    claims: ['C3'],
    fault: 'sigkill',
    away: [140, 900, 1800],
    status: 'fail',
    reason: 'The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    checks: [
      check('the pod reads the same files again', 'C3', 'The pod read again after each of three crashes.'),
      check(
        'the mount table does not grow',
        'C3',
        '47 lines after the last recovery, 44 before the first fault: one more for each crash.',
        'fail',
      ),
    ],
    mountLines: { before: 44, after: 47 },
  },
  {
    id: 'gate-off',
    feature: 'Enable the recovery of FUSE mount points',
    rule: 'Nothing is recovered while the gate is off',
    name: 'a crash stays a crash with FuseRecovery=false',
    claims: ['E1'],
    fault: 'sigkill',
    away: [160],
    gate: 'off',
    status: 'pass',
    checks: [check('nothing was mounted', 'E1', 'No mount of the pod changed, and no event claims a recovery.')],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'daemon-stays-away',
    feature: 'Limits',
    rule: 'Recovery starts when the daemon is back, not before',
    name: 'nothing is mounted while the daemon is down',
    claims: ['L4'],
    fault: 'sigkill',
    away: [2400],
    status: 'pass',
    checks: [check('no mount while the daemon is down', 'L4', '0 mounts and 0 events in the 2.40 s without a daemon.')],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'hung-daemon',
    feature: 'Limits',
    name: 'a daemon that does not answer is found out',
    claims: ['L1'],
    fault: 'sigstop',
    hang: true,
    status: 'inconclusive',
    reason: 'One operation had not come back when the scenario ended, so it is not known how it would have ended.',
    checks: [
      check(
        'the hang is seen from inside the pod',
        'L1',
        'One list of /data hung for 3.91 s and was still hanging.',
        'inconclusive',
      ),
    ],
  },
  {
    id: 'two-workers',
    feature: 'Dataset and JindoRuntime',
    name: 'replicas: 2 gives two worker pods',
    claims: ['D3'],
    status: 'pass',
    checks: [check('two workers', 'D3', 'Two pods with role=jindofs-worker are ready.')],
  },
  {
    id: 'serverless-crash',
    feature: 'Serverless',
    name: 'the pod reads again after kill 1 in fluid-fuse-0',
    claims: ['V1', 'V3'],
    status: 'skipped',
    reason: 'The sandbox has no virtual node; run it with --cluster kind.',
    checks: [],
  },
  {
    id: 'back-off-growth',
    feature: 'Limits',
    rule: 'Frequent crashes lengthen the recovery',
    name: 'the kubelet waits longer after each crash',
    claims: ['L5'],
    fault: 'sigkill',
    away: [150, 1000, 2000],
    status: 'pass',
    checks: [
      check(
        'delays grow as predicted',
        'L5',
        'Delays of 0, 10 and 20 s of the kubelet’s clock; predicted 0, 10 and 20 s.',
      ),
    ],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'sub-path',
    feature: 'Limits',
    name: 'a PVC mounted with subPath is refused at admission',
    claims: ['L3'],
    status: 'skipped',
    reason: 'The sandbox has no admission webhook yet.',
    checks: [],
  },
];

/** A whole run: ten scenarios, of which one fails, one is inconclusive and two are skipped. */
export function sampleRun({ rate = 200, operations = 1400, rounds = 1 }: SampleOptions = {}): Run {
  const history: HistoryEvent[] = [];
  const scenarios: ScenarioRecord[] = [];
  let clock = 900 * ms;
  for (let round = 0; round < rounds; round++) {
    for (const plot of plots) {
      const id = round === 0 ? plot.id : `${plot.id}-${round + 1}`;
      const events = plot.fault ? story({ plot, id, from: clock, rate, operations }) : [];
      const tookNs = plot.fault ? (operations / rate) * 1e9 + 400 * ms : plot.status === 'skipped' ? 0 : 310 * ms;
      history.push(...events);
      scenarios.push(scenarioOf({ plot, id, from: clock, tookNs, events }));
      clock += tookNs + 120 * ms;
    }
  }
  return {
    record: {
      schema: recordSchema,
      runId: '7f3a9c',
      rekindle: '0.1.0',
      startedAt: '2026-03-02T09:14:05.120Z',
      finishedAt: new Date(Date.parse('2026-03-02T09:14:05.120Z') + clock / ms).toISOString(),
      command: ['rekindle', 'conform', '--cluster', 'sandbox'],
      seed: 424242,
      profile: 'rekindle',
      cluster: 'sandbox',
      fidelity: {
        place: 'sandbox',
        parts: [
          { part: 'FUSE and mounts', is: 'the kernel’s own, in private namespaces', fake: false },
          { part: 'agent', is: 'the real process, with its CSI socket', fake: false },
          { part: 'FUSE daemon', is: 'a small filesystem that serves the bucket over S3', fake: true },
          { part: 'kubelet', is: 'pods are process trees in namespaces', fake: true },
          { part: 'API server', is: 'in memory, over HTTP', fake: true },
          { part: 'object store', is: 'embedded S3 store in place of OSS', fake: true },
        ],
        clockScale: 10,
      },
      machine: {
        kernel: '6.12.0-18-amd64',
        os: 'Debian GNU/Linux 12',
        cpus: 2,
        memoryBytes: 8 * 1024 ** 3,
        node: 'v24.21.0',
        root: true,
      },
      verdict: 'fail',
      interrupted: false,
      scenarios,
      leftovers: [],
    },
    history,
  };
}

interface ScenarioInput {
  readonly plot: Plot;
  readonly id: string;
  readonly from: number;
  readonly tookNs: number;
  readonly events: readonly HistoryEvent[];
}

function scenarioOf({ plot, id, from, tookNs, events }: ScenarioInput): ScenarioRecord {
  const lastStep = plot.status === 'skipped' ? 'skipped' : plot.status === 'fail' ? 'failed' : 'passed';
  const texts: readonly (readonly [string, string, number])[] = [
    ['Given', 'pod "demo-app" reads "demo-dataset" at /data', 0.11],
    ['When', plot.fault ? `the FUSE daemon dies by ${plot.fault}` : 'the dataset is Bound', 0.14],
    ['Then', plot.name, 0.7],
    ['And', 'everything of the scenario is released', 0.05],
  ];
  let at = from;
  const steps = texts.map(([keyword, text, share], i): StepRecord => {
    const status =
      plot.status === 'skipped'
        ? 'skipped'
        : i === 2
          ? lastStep
          : i > 2 && lastStep === 'failed'
            ? 'skipped'
            : 'passed';
    const step = { keyword, text, status, at, tookNs: status === 'skipped' ? 0 : tookNs * share } as const;
    at += step.tookNs;
    return status === 'failed' ? { ...step, error: `AssertionError: ${plot.reason}` } : step;
  });
  return {
    id,
    feature: plot.feature,
    uri: `${plot.feature.toLowerCase().replaceAll(' ', '-')}.feature`,
    line: 12,
    ...(plot.rule ? { rule: plot.rule } : {}),
    name: plot.name,
    tags: ['@sandbox', ...plot.claims.map((claim) => `@${claim}`), ...(plot.fault ? [`@fault:${plot.fault}`] : [])],
    claims: plot.claims,
    status: plot.status,
    ...(plot.reason ? { reason: plot.reason } : {}),
    startedAt: from,
    finishedAt: from + tookNs,
    steps,
    checks: plot.checks,
    recoveries: recoveries(events, id),
    ...(plot.mountLines ? { mountLines: plot.mountLines } : {}),
  };
}

interface StoryInput {
  readonly plot: Plot;
  readonly id: string;
  readonly from: number;
  readonly rate: number;
  readonly operations: number;
}

/** What happens in one scenario with a crash: all on the run's clock. */
function story({ plot, id, from, rate, operations }: StoryInput): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const add = (at: number, event: Story) => events.push({ ...event, at: Math.round(at), scenario: id } as HistoryEvent);
  const random = randomOf(id);
  const began = from + 200 * ms;
  const tookNs = (operations / rate) * 1e9;
  const outages: { readonly from: number; readonly until: number }[] = [];

  add(from, { kind: 'process', role: 'container', name: where, change: 'started', pid: 4102 });
  add(from, { kind: 'process', role: 'daemon', name: target, change: 'ready', pid: 4090 });
  add(from + 20 * ms, { kind: 'kubelet', event: 'publish', pod: 'default/demo-app', detail: volume });
  add(from + 22 * ms, mountEvent('node', 'added', 300));
  add(from + 60 * ms, mountEvent(where, 'added', 320));
  add(from + 61 * ms, { kind: 'kubelet', event: 'pod-started', pod: 'default/demo-app' });
  add(from + 90 * ms, snapshot('node', 'before the fault', 300));

  const crashes = plot.hang ? [0] : (plot.away ?? []);
  crashes.forEach((away, i) => {
    const crash = began + tookNs * 0.2 + (i * tookNs * 0.75) / crashes.length + random() * 20 * ms;
    add(crash, { kind: 'fault', fault: plot.fault ?? 'sigkill', phase: 'injected', target });
    if (plot.hang) {
      outages.push({ from: crash, until: Number.POSITIVE_INFINITY });
      for (let seen = 1; seen <= 3; seen++) {
        add(crash + seen * 1000 * ms, {
          kind: 'hang',
          probe,
          op: 'list',
          since: Math.round(crash + 3 * ms),
          over: false,
        });
      }
      add(crash + 2003 * ms, agentEvent('skipped', 'node', 'hung'));
      return;
    }
    add(crash + 1.2 * ms, {
      kind: 'process',
      role: 'daemon',
      name: target,
      change: 'exited',
      pid: 4090 + i,
      ...(plot.fault === 'kill-1' ? { exitCode: 0 } : { signal: 'SIGKILL' }),
    });
    if (away > 500) {
      add(crash + 3 * ms, {
        kind: 'kubelet',
        event: 'restart-scheduled',
        pod: target,
        delayNs: away * ms * 10,
        restartCount: i + 1,
      });
    }
    const ready = crash + away * ms + random() * 9 * ms;
    add(ready - 110 * ms, { kind: 'process', role: 'daemon', name: target, change: 'started', pid: 4091 + i });
    add(ready - 112 * ms, { kind: 'kubelet', event: 'restarted', pod: target, restartCount: i + 1 });
    add(ready, { kind: 'process', role: 'daemon', name: target, change: 'ready', pid: 4091 + i });
    if (plot.gate === 'off') {
      outages.push({ from: crash + 1.2 * ms, until: Number.POSITIVE_INFINITY });
      return;
    }
    const id = 330 + i;
    add(crash + 1.9 * ms, agentEvent('noticed'));
    add(ready + 0.61 * ms, mountEvent('node', 'added', id));
    add(ready + 0.66 * ms, mountEvent('node', 'removed', i === 0 ? 300 : id - 1));
    add(ready + 0.7 * ms, agentEvent('replaced', 'node'));
    add(ready + 1.12 * ms, mountEvent(where, 'added', id + 20));
    if (plot.status !== 'fail') add(ready + 1.17 * ms, mountEvent(where, 'removed', i === 0 ? 320 : id + 19));
    add(ready + 1.2 * ms, agentEvent('replaced', where));
    outages.push({ from: crash + 1.2 * ms, until: ready + 1.15 * ms });
    add(ready + 2.3 * ms, agentEvent('recovered', where));
    add(ready + 4 * ms, {
      kind: 'event',
      type: 'Normal',
      reason: 'FuseRecoverSucceed',
      message: `Fuse recover ${where}:/data succeed`,
      object: 'Dataset/default/demo-dataset',
      count: i + 1,
    });
  });

  probeStory({ add, began, rate, operations, outages, random, hang: plot.hang ?? false });
  loopStory({ add, began, tookNs, outages });
  add(began + tookNs + 30 * ms, snapshot('node', 'after the last recovery', plot.gate === 'off' ? 300 : 333));
  return events;
}

type Story = HistoryEvent extends infer E ? (E extends HistoryEvent ? Omit<E, 'at' | 'scenario'> : never) : never;
type Add = (at: number, event: Story) => void;

interface ProbeStory {
  readonly add: Add;
  readonly began: number;
  readonly rate: number;
  readonly operations: number;
  readonly outages: readonly { readonly from: number; readonly until: number }[];
  readonly random: () => number;
  readonly hang: boolean;
}

function probeStory({ add, began, rate, operations, outages, random, hang }: ProbeStory): void {
  const order: readonly ProbeOperation[] = ['list', 'stat', 'read'];
  for (let i = 0; i < operations; i++) {
    const due = Math.round(began + (i / rate) * 1e9);
    const out = outages.find((outage) => due >= outage.from && due < outage.until);
    if (out && hang) return;
    // What was on its way when the connection broke is aborted; what comes later finds no connection.
    const result = out === undefined ? 'ok' : due - out.from < 1e9 / rate ? 'ECONNABORTED' : 'ENOTCONN';
    const startedAt = due + Math.round(random() * 40_000);
    const finishedAt = startedAt + Math.round((result === 'ok' ? 0.35 : 0.06) * ms * (0.7 + random()));
    const op = order[i % 3] ?? 'read';
    add(due, {
      kind: 'probe',
      probe,
      op,
      startedAt,
      finishedAt,
      result,
      ...(result === 'ok' ? {} : { call: op === 'list' ? 'open' : op === 'stat' ? 'statx' : 'open' }),
    });
  }
}

function loopStory({
  add,
  began,
  tookNs,
  outages,
}: {
  readonly add: Add;
  readonly began: number;
  readonly tookNs: number;
  readonly outages: ProbeStory['outages'];
}): void {
  for (let at = began + 40 * ms; at < began + tookNs; at += 1000 * ms) {
    const say = (stream: 'stdout' | 'stderr', text: string) =>
      add(at, { kind: 'output', program: where, stream, text });
    if (outages.some((outage) => at >= outage.from && at < outage.until)) {
      say('stderr', "ls: cannot access '/data/': Transport endpoint is not connected");
      continue;
    }
    say('stdout', 'total 18');
    say('stdout', '-r--r----- 1 root root 18306 Mar  2 09:14 hello.txt');
  }
}

function mountEvent(place: string, change: 'added' | 'removed', id: number): Story {
  const mountPoint =
    place === 'node' ? `/var/lib/kubelet/pods/5f0c/volumes/kubernetes.io~csi/${volume}/mount` : '/data';
  return {
    kind: 'mount',
    where: place,
    change,
    id,
    device: `0:${id - 240}`,
    mountPoint,
    fstype: 'fuse.jindofs-fuse',
    options: 'ro,nosuid,nodev,relatime',
  };
}

function snapshot(place: string, label: string, id: number): Story {
  return {
    kind: 'snapshot',
    where: place,
    label,
    lines: [
      '24 1 0:22 / / rw,relatime - tmpfs tmpfs rw',
      `${id} 24 0:${id - 240} / /var/lib/kubelet/pods/5f0c/volumes/kubernetes.io~csi/${volume}/mount ro,relatime - fuse.jindofs-fuse jindofs-fuse ro`,
    ],
  };
}

function agentEvent(event: 'noticed' | 'skipped' | 'replaced' | 'recovered', place?: string, reason?: string): Story {
  const facts = {
    event,
    volume,
    ...(place === undefined
      ? {}
      : { where: place, path: place === 'node' ? '/var/lib/kubelet/pods/5f0c/mount' : '/data' }),
    ...(reason === undefined ? {} : { reason }),
    ...(event === 'replaced' ? { tookNs: 410_000 } : {}),
  };
  return { kind: 'agent', ...facts, line: { level: 'info', ...facts } };
}

/** Numbers from 0 to 1 that depend on the text alone (mulberry32). */
function randomOf(text: string): () => number {
  let state = [...text].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) | 0, 7);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

import type { CheckRecord, HistoryEvent, ProbeOperation, ScenarioStatus } from '../record.ts';

/** The outline of a scenario in the sample run. */
export interface Plot {
  readonly id: string;
  readonly feature: string;
  readonly rule?: string;
  readonly name: string;
  readonly claims: readonly string[];
  readonly fault?: string;
  /** Milliseconds from the crash to the daemon's return; absent if it does not return. */
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

export interface StoryInput {
  readonly plot: Plot;
  readonly id: string;
  readonly from: number;
  readonly rate: number;
  readonly operations: number;
}

/** What happens in one scenario with a crash: all on the run's clock. */
export function story({ plot, id, from, rate, operations }: StoryInput): HistoryEvent[] {
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

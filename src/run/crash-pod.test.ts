import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api } from '@kubernetes/client-node';
import { beforeEach, describe, expect, test } from 'vitest';
import type { NodeOfPod, NodeOfPodOptions, UserPod } from '../../clusters/kubernetes/user-pod.ts';
import { type ApiServer, startApiServer } from '../../fakes/apiserver/api-server.ts';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { newRunId } from '../run-id.ts';
import type { HistoryEvent, ProbeEvent } from '../timeline/record.ts';
import { concerns, crashPod } from './crash-pod.ts';

const pod: UserPod = {
  namespace: 'default',
  name: 'web',
  node: 'worker-1',
  mounts: [
    { container: 'app', path: '/data', volume: 'pv-1', readOnly: false },
    { container: 'app', path: '/cache', volume: 'pv-2', readOnly: false },
    { container: 'app', path: '/disk', volume: 'pv-3', readOnly: false },
  ],
  sharers: [],
};
const line = (id: number, path: string, type: string) => `${id} 1 0:${id} / ${path} ro,relatime - ${type} source ro`;
const victim = { namespace: 'default', pod: 'web', container: 'app', volume: 'pv-1' };

let api: ApiServer;
let out: string;
let output: string;

beforeEach(async () => {
  api = await startApiServer({ port: 0 });
  out = mkdtempSync(join(tmpdir(), 'rekindle-crash-pod-'));
  output = '';
  const core = clientConfig(api.kubeConfig).makeApiClient(CoreV1Api);
  const spec = { nodeName: 'worker-1', containers: [{ name: 'app', image: 'app' }] };
  await core.createNamespacedPod({ namespace: 'default', body: { metadata: { name: 'web' }, spec } });
  return async () => {
    rmSync(out, { recursive: true });
    await api[Symbol.asyncDispose]();
  };
});

interface FakeNode {
  readonly table: readonly string[];
  /** What a probe sees after the crash. */
  readonly after: readonly string[];
  readonly calls: string[];
}

/** A node whose daemon can be killed; the operations of its probe arrive at once. */
function fakeNode({ onEvent }: Pick<NodeOfPodOptions, 'onEvent'>, { table, after, calls }: FakeNode): NodeOfPod {
  const name = 'default/web/app:/data';
  const operations = (from: number, results: readonly string[]) => {
    for (const [index, result] of results.entries()) {
      const at = from + index * 20e6;
      const op = (['read', 'read', 'list', 'read'] as const)[index % 4] as ProbeEvent['op'];
      onEvent({ kind: 'probe', at, startedAt: at, finishedAt: at + 1e6, probe: name, op, result });
    }
  };
  const now = () => Number(process.hrtime.bigint());
  const remote = {
    mountTable: async () => table,
    servingDaemon: async () => ({ pids: [41, 42], command: 'jindofs-fuse -o ro' }),
    sampleFiles: async () => ({ 'a.txt': 'f'.repeat(64) }),
    async probe({ files }: { readonly files: object }) {
      calls.push(`probe ${JSON.stringify(files).slice(0, 9)}`);
      operations(now(), new Array(12).fill('ok'));
      return { [Symbol.asyncDispose]: async () => void calls.push('probe ended') };
    },
    async killServingDaemon(_: unknown, path: string, pids: readonly number[]) {
      calls.push(`kill ${path} ${pids}`);
      const at = now() + 1e9;
      // Whatever comes after the crash is reported after it.
      setImmediate(() => operations(at + 1e6, after));
      return at;
    },
  };
  return {
    facts: { node: 'worker-1', bootId: '', memoryCgroups: false, kernel: '6.18.1' },
    toOurClock: (at) => at,
    remote: remote as unknown as NodeOfPod['remote'],
    [Symbol.asyncDispose]: async () => void calls.push('node program removed'),
  };
}

async function crash(node: Partial<FakeNode>, options: { readonly path?: string } = {}) {
  const calls: string[] = [];
  const write = (text: string) => {
    output += text;
  };
  const environment = {
    cwd: out,
    stdout: { write },
    stderr: { write },
    env: {},
    signal: new AbortController().signal,
  };
  const all = { table: [line(51, '/data', 'fuse.jindofs'), line(52, '/disk', 'ext4')], after: [], ...node, calls };
  const runId = newRunId(new Date(), Math.random);
  const request = { runId, out, seed: 1, environment, kubeConfig: api.kubeConfig, context: 'c', pod, timeoutMs: 1500 };
  const outcome = await crashPod({ ...request, ...options }, async (_, asked) => fakeNode(asked, all)).finally(() => {
    output += calls.join('\n');
  });
  return { outcome, calls };
}

const good = (count: number) => new Array<string>(count).fill('ok');
const bad = (count: number) => new Array<string>(count).fill('ENOTCONN');

describe('a crash in a pod of the user', () => {
  test('is judged by what a probe sees in the pod, and leaves nothing', async () => {
    const { outcome, calls } = await crash({ after: [...bad(5), ...good(120)] });
    expect(outcome).toMatchObject({ verdict: 'pass', leftovers: [] });
    expect(calls).toEqual(['probe {"a.txt":', 'kill /data 41,42', 'probe ended', 'node program removed']);
    const record = JSON.parse(readFileSync(join(outcome.resultsDir, 'record.json'), 'utf8'));
    expect(record.scenarios[0].checks.map(({ verdict }: { readonly verdict: string }) => verdict)).toEqual(
      new Array(5).fill('pass'),
    );
    expect(existsSync(join(outcome.resultsDir, 'report.html'))).toBe(true);
    expect(output).toContain('✔ the pod reads the files again');
    expect(output).not.toContain('rekindle explain');
  });

  test('fails if the pod does not read again, and says how to see why', async () => {
    const { outcome } = await crash({ after: bad(30) });
    expect(outcome.verdict).toBe('fail');
    expect(output).toContain('why: rekindle explain web -n default --context c');
  });

  test('does not expect the bytes of a volume that is written to', async () => {
    const table = [line(51, '/data', 'fuse.jindofs').replace('ro,relatime', 'rw').replace(/ro$/, 'rw')];
    const { outcome, calls } = await crash({ table, after: [...bad(5), ...good(120)] });
    expect([outcome.verdict, calls[0]]).toEqual(['pass', 'probe {}']);
  });

  test.each<[string, readonly string[], { readonly path?: string }, string]>([
    ['the pod has no FUSE mount', [line(52, '/disk', 'ext4')], {}, 'no volume of pod default/web is a FUSE mount'],
    [
      'it has several',
      [line(51, '/data', 'fuse'), line(53, '/cache', 'fuse.x')],
      {},
      'choose one with --path: /data, /cache',
    ],
    ['there is none at the path', [line(51, '/data', 'fuse')], { path: '/cache' }, 'choose one with --path: /data'],
  ])('is refused before anything is killed if %s', async (_, table, options, says) => {
    await expect(crash({ table }, options)).rejects.toThrow(says);
    expect(output).not.toContain('kill');
    expect(output).toContain('node program removed');
  });
});

test.each<[string, boolean, HistoryEvent]>([
  [
    'the container itself',
    true,
    { kind: 'process', at: 0, role: 'container', name: 'default/web/app', change: 'exited', pid: 1 },
  ],
  [
    'a container of another pod',
    false,
    { kind: 'process', at: 0, role: 'container', name: 'default/db/app', change: 'exited', pid: 1 },
  ],
  [
    'an event of the pod',
    true,
    { kind: 'event', at: 0, type: '', reason: '', message: '', object: 'Pod default/web', count: 1 },
  ],
  [
    'an event of another pod',
    false,
    { kind: 'event', at: 0, type: '', reason: '', message: '', object: 'Pod default/db', count: 1 },
  ],
  ['what another container prints', false, { kind: 'output', at: 0, program: 'x', stream: 'stdout', text: 'secret' }],
])('%s concerns the crash: %s', (_, wanted, event) => {
  expect(concerns(event, 'default', victim)).toBe(wanted);
});

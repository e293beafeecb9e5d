import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { createMetrics } from '../../agent/metrics.ts';
import { crash, oneHealthyPod } from '../../engine/testing/healthy-pod.ts';
import { alerts, dashboard, ruleGroups } from './testing/queries.ts';

const isOnPath = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
const missing = ['prometheus', 'promtool'].every(isOnPath)
  ? ''
  : ' (skipped: needs prometheus and promtool on the PATH, as in the Debian package prometheus)';

/** Of `/api/v1/query_range`. */
interface Answer {
  readonly status: string;
  readonly data: {
    readonly result: readonly { readonly values: readonly (readonly [time: number, value: string])[] }[];
  };
}

const step = 15;
/** Seconds since the epoch. */
const start = Math.floor(Date.now() / 1000 / step) * step - 7200;

/**
 * What a Prometheus scraped from an agent during crashes: a daemon that comes back, a mount that cannot be replaced, one that
 * cannot be read, and an agent that is down. In OpenMetrics, with the labels that the PodMonitor adds.
 */
async function recordCrash(): Promise<string> {
  await using world = await oneHealthyPod({});
  const metrics = createMetrics({
    unhealthy: () =>
      world.engine.unhealthy().map(({ diagnosis: { site, volume, state }, reason = state }) => {
        return { podUid: site.podUid, volume: volume.name, reason };
      }),
    unproven: () =>
      world.engine.unproven().map(({ diagnosis: { site, volume }, failures }) => {
        return { podUid: site.podUid, volume: volume.name, reason: failures.at(-1)?.errno ?? 'reading' };
      }),
    pods: () => world.pods,
  });
  const samples = new Map<string, string[]>();
  const types = new Map<string, string>();
  let now = start;
  let recorded = 0;
  const scrape = async (up = 1) => {
    for (const decision of world.decisions.slice(recorded)) metrics.record(decision);
    recorded = world.decisions.length;
    for (const line of `${await metrics.text()}up ${up}\n`.split('\n')) {
      const [, typed, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
      if (typed !== undefined && type !== undefined) types.set(typed, type);
      const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (value === undefined) continue;
      const all = [labels, 'job="rekindle-agent"', 'node="worker-1"'].filter((each) => each !== '').join(',');
      samples.set(name, [...(samples.get(name) ?? []), `${name}{${all}} ${value} ${now}`]);
    }
    now += step;
  };
  const pass = async (count: number) => {
    for (let each = 0; each < count; each++) {
      await world.clock.advance(step * 1000);
      await scrape();
    }
  };
  await scrape();
  const [volume] = world.volumes;
  const site = { kind: 'target', podUid: 'pod-1', path: '/t' } as const;
  if (volume === undefined) throw new Error('no volume');
  // The first sample of a series has nothing to grow from.
  metrics.requested({ verb: 'list', resource: 'pods' });
  metrics.eventDropped('full');
  const refusal = { event: 'fallback', kind: 'evict', result: 'refused', volume, site, detail: '' } as const;
  metrics.record(refusal);
  metrics.record({ event: 'failed-over', volume, from: 'a', to: 'b', sites: 1, took: 0n as never });
  crash(world);
  await pass(8);
  world.kernel.failWith((call, visited) => (call === 'move_mount' && visited === 'container' ? 'ENOSPC' : undefined));
  world.serve('demo');
  await pass(4);
  world.kernel.failWith(undefined);
  await pass(4);
  for (let again = 0; again < 3; again++) {
    crash(world);
    await world.clock.advance(2_000);
    world.serve('demo');
    metrics.requested({ verb: 'list', resource: 'pods' });
    metrics.eventDropped('full');
    metrics.record(refusal);
    metrics.record({ event: 'failed', volume, site, failure: { errno: 'ENOSPC', call: 'a', path: 'b', step: 'c' } });
    metrics.record({
      event: 'recovered',
      volume,
      site: { ...site, kind: 'container', container: 'app', mountNamespace: '', pid: 1 },
      took: 3_000_000_000n as never,
    });
    metrics.record({ event: 'replaced', volume, site, took: 1_000_000n as never, layers: [2, 1] });
    await pass(3);
  }
  crash(world);
  await world.clock.advance(1_000);
  world.kernel.deny(world.serve('demo'), 1000);
  await pass(4);
  metrics.record({ event: 'replaced', volume, site, took: 1_000_000n as never, layers: [1, 2] });
  await scrape(0);
  return toOpenMetrics(samples, types);
}

/** Families in one piece each, and counters without `_total` in their names, as OpenMetrics wants them. */
function toOpenMetrics(samples: ReadonlyMap<string, readonly string[]>, types: ReadonlyMap<string, string>): string {
  const families = [...types, ['up', 'gauge'] as const].map(([family, type]) => {
    const names = type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => family + suffix) : [family];
    const lines = names.flatMap((name) => samples.get(name) ?? []);
    return lines.length === 0
      ? ''
      : `# TYPE ${family.replace(/_total$/, '')} ${type}\n${sortedBySeries(lines).join('\n')}\n`;
  });
  return `${families.join('')}# EOF\n`;
}

/** The samples of a series one after another, in the order of their times. */
function sortedBySeries(lines: readonly string[]): readonly string[] {
  const bySeries = Map.groupBy(lines, (line) => line.slice(0, line.lastIndexOf('}')));
  return [...bySeries.values()].flat();
}

describe('the dashboard', () => {
  const folder = fileURLToPath(new URL('./testing/grafana-schema', import.meta.url));
  /** Disagreements with Grafana's schema, a line each. */
  const disagreements = (program: string, board: object) => {
    const { exitCode, stdout } = execaSync(program, { input: JSON.stringify(board), reject: false });
    return exitCode === 0 ? [] : stdout.split('\n');
  };

  it("is one by Grafana's own schema", { timeout: 300_000 }, ({ skip }) => {
    const binary = join(mkdtempSync(join(tmpdir(), 'rekindle-grafana-')), 'check');
    try {
      const built = execaSync('go', ['build', '-o', binary, '.'], { cwd: folder, reject: false });
      if (built.failed) skip(`needs Go and its module proxy: ${(built.stderr ?? built.originalMessage).slice(-200)}`);
      const board = dashboard();
      expect(disagreements(binary, board)).toEqual([]);
      const broken = { ...board, panels: board.panels.map((panel) => ({ ...panel, title: 7 })) };
      expect(disagreements(binary, broken)).not.toEqual([]);
    } finally {
      rmSync(dirname(binary), { recursive: true });
    }
  });
});

describe.skipIf(missing !== '')(`with Prometheus${missing}`, () => {
  let folder: string;
  let url: string;
  let server: ReturnType<typeof spawn>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rekindle-prometheus-'));
    writeFileSync(join(folder, 'crash.om'), await recordCrash());
    writeFileSync(join(folder, 'rules.yaml'), stringify(ruleGroups()));
    writeFileSync(join(folder, 'prometheus.yaml'), 'global: {}\n');
    execaSync('promtool', [
      'tsdb',
      'create-blocks-from',
      'openmetrics',
      join(folder, 'crash.om'),
      join(folder, 'data'),
    ]);
    const address = `127.0.0.1:${await freePort()}`;
    url = `http://${address}`;
    server = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yaml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=${address}`,
      ],
      { stdio: 'ignore' },
    );
    await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).ok).toBe(true), { timeout: 60_000 });
  }, 120_000);
  afterAll(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  const expand = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|node)\b/g, '.*');
  const queries = [
    ...alerts().map(({ alert, expr }) => [alert, expr] as const),
    ...dashboard().panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ];

  it('accepts the rules', () => {
    const { exitCode, stdout } = execaSync('promtool', ['check', 'rules', join(folder, 'rules.yaml')], {
      reject: false,
    });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`${alerts().length} rules found`)]);
  });

  it.each(queries)('%s: %s returns a series over the recorded crash', async (_, expr) => {
    const query = new URLSearchParams({
      query: expand(expr),
      start: `${start}`,
      end: `${start + 3600}`,
      step: `${step}`,
    });
    const answer = (await (await fetch(`${url}/api/v1/query_range?${query}`)).json()) as Answer;
    expect(answer).toMatchObject({ status: 'success' });
    const values = answer.data.result.flatMap((series) => series.values);
    expect(values.filter(([, value]) => value !== 'NaN').length).toBeGreaterThan(0);
  });
});

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

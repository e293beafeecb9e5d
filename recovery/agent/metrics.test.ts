import { describe, expect, it } from 'vitest';
import type { Decision, Nanoseconds, Pod } from '../engine/model.ts';
import { createMetrics, type SiteProblem } from './metrics.ts';
import { volume } from './testing/demo-volume.ts';

const site = {
  kind: 'container',
  podUid: 'u1',
  container: 'main',
  mountNamespace: 'mnt:[1]',
  pid: 7,
  path: '/data',
} as const;
const took = 2_000_000n as Nanoseconds;
const failure = { errno: 'EPERM', call: 'move_mount', path: '/data', step: 'attach' };
const pod = { uid: 'u1', namespace: 'default', name: 'app' } as Pod;

function metricsOf(problems: SiteProblem[] = []) {
  return createMetrics({ unhealthy: () => problems, unproven: () => problems, pods: () => [pod] });
}

describe('the metrics', () => {
  it.each<[string, Decision, string]>([
    [
      'recovered',
      { event: 'recovered', volume, site, took },
      'rekindle_recoveries_total{result="recovered",place="container",reason=""} 1',
    ],
    ['recovered', { event: 'recovered', volume, site, took }, 'rekindle_recovery_seconds_sum{place="container"} 0.002'],
    [
      'failed',
      { event: 'failed', volume, site, failure },
      'rekindle_recoveries_total{result="failed",place="container",reason="EPERM"} 1',
    ],
    [
      'unproven',
      { event: 'unproven', volume, site, failure },
      'rekindle_recoveries_total{result="unproven",place="container",reason="EPERM"} 1',
    ],
    [
      'skipped',
      { event: 'skipped', volume, site, reason: 'sub-path', detail: '' },
      'rekindle_skips_total{reason="sub-path"} 1',
    ],
    [
      'replaced',
      { event: 'replaced', volume, site, took, layers: [2, 1] },
      'rekindle_replace_seconds_sum{place="container"} 0.002',
    ],
    ['replaced', { event: 'replaced', volume, site, took, layers: [2, 1] }, 'rekindle_mount_layers{moment="after"} 1'],
  ])('count what was %s: %#', async (_, decision, line) => {
    const metrics = metricsOf();
    metrics.record(decision);
    expect((await metrics.text()).split('\n')).toContain(line);
  });

  it('split a pass into phases, in seconds', async () => {
    const metrics = metricsOf();
    const [observed, applied, verified] = [1_000_000n, 500_000n, 3_000_000n] as Nanoseconds[];
    const counts = { actions: 1, skips: 0, unhealthy: 0 };
    const pass = { event: 'passed', trigger: 'resync', took, observed, applied, verified, ...counts } as Decision;
    metrics.record(pass);
    const text = await metrics.text();
    for (const [phase, sum] of Object.entries({ observe: 0.001, apply: 0.0005, verify: 0.003, whole: 0.002 })) {
      expect(text).toContain(`rekindle_pass_phase_seconds_sum{phase="${phase}"} ${sum}\n`);
    }
  });

  it('gauge dead volumes and unproven mounts as they are at the scrape, by pod and reason', async () => {
    const problems = [
      { podUid: 'u1', volume: 'default-demo', reason: 'read-write' },
      { podUid: 'u1', volume: 'default-demo', reason: 'read-write' },
      { podUid: 'gone', volume: 'default-demo', reason: 'dead' },
    ];
    const metrics = metricsOf(problems);
    const text = await metrics.text();
    expect(text).toContain(
      'rekindle_dead_volumes{namespace="default",pod="app",volume="default-demo",reason="read-write"} 2',
    );
    expect(text).toContain('rekindle_dead_volumes{namespace="",pod="gone",volume="default-demo",reason="dead"} 1');
    expect(text).toContain('rekindle_unproven_mounts{namespace="",pod="gone",volume="default-demo",reason="dead"} 1');
    problems.length = 0;
    expect(await metrics.text()).not.toContain('rekindle_dead_volumes{');
  });

  it('count what is asked of the API server', async () => {
    const metrics = metricsOf([]);
    metrics.requested({ verb: 'watch', resource: 'pods' });
    metrics.requested({ verb: 'watch', resource: 'pods' });
    expect(await metrics.text()).toContain('rekindle_api_requests_total{verb="watch",resource="pods"} 2');
  });
});

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Decision, Nanoseconds, Pod } from '../engine/model.ts';
import type { ApiCall } from '../kubernetes/api-call.ts';

/** A mount site that needs attention. */
export interface SiteProblem {
  readonly podUid: string;
  readonly volume: string;
  readonly reason: string;
}

export interface Metrics {
  record(decision: Decision): void;
  /** Counts a Kubernetes event that will not be sent. */
  eventDropped(why: string): void;
  /** Counts a request to the API server. */
  requested(call: Pick<ApiCall, 'verb' | 'resource'>): void;
  readonly contentType: string;
  /** Prometheus text. */
  text(): Promise<string>;
}

const fine = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const seconds = (time: Nanoseconds) => Number(time) / 1e9;

/** The agent's metrics in the format of Prometheus. The functions are called at each scrape. */
export function createMetrics({
  unhealthy,
  unproven,
  pods,
}: {
  /** Sites that cannot be read, with the reason why they are left alone or their state. */
  readonly unhealthy: () => readonly SiteProblem[];
  /** Sites whose replaced mount has not been proven, with the errno of the last read, or `reading` during the first. */
  readonly unproven: () => readonly SiteProblem[];
  readonly pods: () => readonly Pod[];
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const recoveries = new Counter({
    name: 'rekindle_recoveries_total',
    help: 'Replaced mounts that their consumer has read, that are not yet proven, or that could not be replaced, with the errno',
    labelNames: ['result', 'place', 'reason'],
    registers,
  });
  const skips = new Counter({
    name: 'rekindle_skips_total',
    help: 'Sites that were left alone, by reason',
    labelNames: ['reason'],
    registers,
  });
  const phases = new Histogram({
    name: 'rekindle_pass_phase_seconds',
    help: 'Duration of the passes of the engine, by phase',
    labelNames: ['phase'],
    buckets: fine,
    registers,
  });
  const replaced = new Histogram({
    name: 'rekindle_replace_seconds',
    help: 'Duration of the replacement of one mount',
    labelNames: ['place'],
    buckets: fine,
    registers,
  });
  const recovered = new Histogram({
    name: 'rekindle_recovery_seconds',
    help: 'Time from when a pass begins to act to the first successful read through a replaced mount',
    labelNames: ['place'],
    buckets: fine,
    registers,
  });
  const failovers = new Counter({
    name: 'rekindle_failovers_total',
    help: 'Daemons that died while their standby was live, so that pods went on with it',
    registers,
  });
  const fallbacks = new Counter({
    name: 'rekindle_fallbacks_total',
    help: 'Containers that were restarted and pods that were evicted because they asked for it, with refusals',
    labelNames: ['kind', 'result'],
    registers,
  });
  const refusedStandbys = new Counter({
    name: 'rekindle_standbys_refused_total',
    help: 'Standbys that were found and are not used',
    registers,
  });
  const layers = new Gauge({
    name: 'rekindle_mount_layers',
    help: 'Mounts on top of each other at the site that was replaced last, before and after',
    labelNames: ['moment'],
    registers,
  });
  const dropped = new Counter({
    name: 'rekindle_events_dropped_total',
    help: 'Kubernetes events that were not sent, because the queue was full, the object had too many, or the API server refused them',
    labelNames: ['why'],
    registers,
  });
  const requests = new Counter({
    name: 'rekindle_api_requests_total',
    help: 'Requests to the API server; a watch counts once, however long it lasts',
    labelNames: ['verb', 'resource'],
    registers,
  });
  const gaugeSites = (name: string, help: string, sites: () => readonly SiteProblem[]) =>
    new Gauge({
      name,
      help,
      labelNames: ['namespace', 'pod', 'volume', 'reason'],
      registers,
      collect() {
        this.reset();
        const known = new Map(pods().map((pod) => [pod.uid, pod]));
        for (const { podUid, volume, reason } of sites()) {
          const { namespace = '', name: pod = podUid } = known.get(podUid) ?? {};
          this.inc({ namespace, pod, volume, reason });
        }
      },
    });
  gaugeSites(
    'rekindle_dead_volumes',
    'Sites where a pod cannot read a volume, by the reason why they are left alone or by their state',
    unhealthy,
  );
  gaugeSites(
    'rekindle_unproven_mounts',
    'Replaced mounts that their consumer has not been seen to read, by the errno of the last read; reading: the first read continues',
    unproven,
  );

  return {
    record(decision) {
      switch (decision.event) {
        case 'noticed':
        case 'standby-differs':
        case 'unidentified':
          break;
        case 'standby-refused':
          refusedStandbys.inc();
          break;
        case 'failed-over':
          failovers.inc();
          break;
        case 'skipped':
          skips.inc({ reason: decision.reason });
          break;
        case 'replaced':
          replaced.observe({ place: decision.site.kind }, seconds(decision.took));
          layers.set({ moment: 'before' }, decision.layers[0]);
          layers.set({ moment: 'after' }, decision.layers[1]);
          break;
        case 'recovered':
          recoveries.inc({ result: 'recovered', place: decision.site.kind, reason: '' });
          recovered.observe({ place: decision.site.kind }, seconds(decision.took));
          break;
        case 'fallback':
          fallbacks.inc({ kind: decision.kind, result: decision.result });
          break;
        case 'unproven':
        case 'failed':
          recoveries.inc({ result: decision.event, place: decision.site.kind, reason: decision.failure.errno });
          break;
        case 'passed':
          phases.observe({ phase: 'observe' }, seconds(decision.observed));
          phases.observe({ phase: 'apply' }, seconds(decision.applied));
          phases.observe({ phase: 'verify' }, seconds(decision.verified));
          phases.observe({ phase: 'whole' }, seconds(decision.took));
          break;
      }
    },
    eventDropped: (why) => dropped.inc({ why }),
    requested: ({ verb, resource }) => requests.inc({ verb, resource }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

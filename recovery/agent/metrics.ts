import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Decision, Nanoseconds, Pod } from '../engine/model.ts';
import type { ApiCall } from '../kubernetes/api-call.ts';

/** A place that is not well. */
export interface UnwellPlace {
  readonly podUid: string;
  readonly volume: string;
  /** Why it is left alone, or the state it is in. */
  readonly reason: string;
}

export interface Metrics {
  record(decision: Decision): void;
  /** A Kubernetes event was given up. */
  eventDropped(why: string): void;
  /** A request is made to the API server. */
  requested(call: Pick<ApiCall, 'verb' | 'resource'>): void;
  readonly contentType: string;
  /** Prometheus text. */
  text(): Promise<string>;
}

const fine = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const seconds = (time: Nanoseconds) => Number(time) / 1e9;

/** What Prometheus sees of the agent. `unwell` and `pods` are asked at each scrape. */
export function createMetrics({
  unwell,
  pods,
}: {
  readonly unwell: () => readonly UnwellPlace[];
  readonly pods: () => readonly Pod[];
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const recoveries = new Counter({
    name: 'rekindle_recoveries_total',
    help: 'Mounts that were read again after a recovery, and recoveries that failed, by errno',
    labelNames: ['result', 'place', 'reason'],
    registers,
  });
  const skips = new Counter({
    name: 'rekindle_skips_total',
    help: 'Recoveries that were refused, by reason',
    labelNames: ['reason'],
    registers,
  });
  const phases = new Histogram({
    name: 'rekindle_pass_phase_seconds',
    help: 'Time that a pass of the engine took, by phase',
    labelNames: ['phase'],
    buckets: fine,
    registers,
  });
  const replaced = new Histogram({
    name: 'rekindle_replace_seconds',
    help: 'Time to replace one mount',
    labelNames: ['place'],
    buckets: fine,
    registers,
  });
  const recovered = new Histogram({
    name: 'rekindle_recovery_seconds',
    help: 'Time from the start of a pass to the first good read through a replaced mount',
    labelNames: ['place'],
    buckets: fine,
    registers,
  });
  const layers = new Gauge({
    name: 'rekindle_mount_layers',
    help: 'Mounts on top of each other at the place that was replaced last, before and after',
    labelNames: ['moment'],
    registers,
  });
  const dropped = new Counter({
    name: 'rekindle_events_dropped_total',
    help: 'Kubernetes events that were given up, because the queue was full or the API server refused them',
    labelNames: ['why'],
    registers,
  });
  const requests = new Counter({
    name: 'rekindle_api_requests_total',
    help: 'Requests to the API server; a watch is one, however long it lasts',
    labelNames: ['verb', 'resource'],
    registers,
  });
  new Gauge({
    name: 'rekindle_dead_volumes',
    help: 'Places where a pod cannot read a volume, by the reason why they are left alone or the state they are in',
    labelNames: ['namespace', 'pod', 'volume', 'reason'],
    registers,
    collect() {
      this.reset();
      const known = new Map(pods().map((pod) => [pod.uid, pod]));
      for (const { podUid, volume, reason } of unwell()) {
        const { namespace = '', name: pod = podUid } = known.get(podUid) ?? {};
        this.inc({ namespace, pod, volume, reason });
      }
    },
  });

  return {
    record(decision) {
      switch (decision.event) {
        case 'noticed':
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
        case 'failed':
          recoveries.inc({ result: 'failed', place: decision.site.kind, reason: decision.failure.errno });
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

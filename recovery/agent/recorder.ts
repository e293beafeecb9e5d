import { podOf } from '../engine/places.ts';
import type { KubernetesPort, Recorder } from '../engine/ports.ts';
import { eventsOf, logLine } from '../engine/record.ts';
import type { EventQueue } from '../kubernetes/event-queue.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Sends each decision to the log, to the metrics and to Kubernetes; none of them blocks. */
export function createRecorder({
  log,
  metrics,
  events,
  kubernetes,
}: {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'record'>;
  readonly events: Pick<EventQueue, 'push'>;
  readonly kubernetes: Pick<KubernetesPort, 'view'>;
}): Recorder {
  return (decision) => {
    const { event, ...fields } = logLine(decision);
    const names = kubernetes.view();
    const pod = 'site' in decision ? podOf(names.pods, decision.site.podUid) : undefined;
    const name = pod === undefined ? {} : { pod: `${pod.namespace}/${pod.name}` };
    if (decision.event === 'failed') log.warn(decision.event, { ...name, ...fields });
    else log.info(decision.event, { ...name, ...fields });
    metrics.record(decision);
    for (const each of eventsOf(decision, names)) events.push(each);
  };
}

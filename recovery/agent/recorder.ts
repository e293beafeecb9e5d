import type { KubernetesPort, Recorder } from '../engine/ports.ts';
import { type EventObjects, eventsFor, logFields } from '../engine/record.ts';
import type { EventQueue } from '../kubernetes/event-queue.ts';
import type { Log } from '../log.ts';
import type { Metrics } from './metrics.ts';

/** Sends each decision to the log, the metrics and Kubernetes without blocking. */
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
  let view: ReturnType<KubernetesPort['view']> | undefined;
  let objects: EventObjects = { volumes: [], podsByUid: new Map() };

  return (decision) => {
    const { event, ...fields } = logFields(decision);
    const current = kubernetes.view();
    if (current !== view) {
      view = current;
      objects = { volumes: current.volumes, podsByUid: new Map(current.pods.map((pod) => [pod.uid, pod])) };
    }
    const { podUid } = 'site' in decision ? decision.site : 'podUid' in decision ? decision : {};
    const pod = podUid === undefined ? undefined : objects.podsByUid.get(podUid);
    const name = pod === undefined ? {} : { pod: `${pod.namespace}/${pod.name}` };
    if (decision.event === 'failed' || decision.event === 'unproven') log.warn(decision.event, { ...name, ...fields });
    else log.info(decision.event, { ...name, ...fields });
    metrics.record(decision);
    for (const each of eventsFor(decision, objects)) events.push(each);
  };
}

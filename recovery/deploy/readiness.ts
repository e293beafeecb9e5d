import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { listAt, objectAt, textAt } from '../kubernetes/json.ts';

/** How far a workload has come. */
export type Readiness =
  | { readonly ready: true }
  /** `why` in a few words. */
  | { readonly ready: false; readonly why: string };

const waits = (why: string): Readiness => ({ ready: false, why });

/** Whether all pods of a DaemonSet or Deployment are of its newest generation and ready, or whether a webhook is trusted. Pure. */
export function readinessOf(object: KubernetesObject | undefined): Readiness {
  if (object === undefined) return waits('not there yet');
  const { kind, metadata } = object;
  if (kind?.endsWith('WebhookConfiguration')) return trusted(object);
  const status = objectAt(object, 'status');
  if (status.observedGeneration !== metadata?.generation) return waits('not looked at yet');
  const [wanted, updated, ready] =
    kind === 'DaemonSet'
      ? [status.desiredNumberScheduled, status.updatedNumberScheduled, status.numberReady]
      : [objectAt(object, 'spec').replicas, status.updatedReplicas, status.readyReplicas];
  const all = count(wanted);
  const done = Math.min(count(updated), count(ready));
  const old = kind === 'Deployment' ? count(status.replicas) - count(updated) : 0;
  if (done < all) return waits(`${done} of ${all} ready`);
  return old > 0 ? waits('ending old pods') : { ready: true };
}

function trusted(object: KubernetesObject): Readiness {
  const untrusted = listAt(object, 'webhooks').some(
    (webhook) => !textAt(objectAt(webhook, 'clientConfig'), 'caBundle'),
  );
  return untrusted ? waits('no certificate yet') : { ready: true };
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** What keeps a pod from being ready. */
export interface Trouble {
  readonly pod: string;
  readonly says: string;
  /** The image cannot be had: waiting longer will not help. */
  readonly image?: string;
}

const imageReasons = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'];

/** As the pod asks for it; its status may name it otherwise. */
const imageOf = ({ spec }: V1Pod, name: string) => spec?.containers.find((each) => each.name === name)?.image ?? '';

/** Pure; empty for pods that only take their time. */
export function troubleOf(pod: V1Pod): readonly Trouble[] {
  const name = pod.metadata?.name ?? '';
  const node = pod.spec?.nodeName;
  const where = node === undefined ? name : `${name} on ${node}`;
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const { reason, message } = pod.status ?? {};
  return [
    ...(unscheduled?.message === undefined ? [] : [{ pod: name, says: `${name}: ${unscheduled.message}` }]),
    ...(reason === undefined ? [] : [{ pod: name, says: `${where}: ${reason}: ${message ?? ''}` }]),
    ...(pod.status?.containerStatuses ?? []).flatMap((container): Trouble[] => {
      const { waiting } = container.state ?? {};
      if (waiting?.reason === undefined || waiting.reason === 'ContainerCreating') return [];
      const last = container.lastState?.terminated;
      const ended =
        last === undefined ? '' : `, ended with ${last.exitCode}${last.message ? `: ${last.message.trim()}` : ''}`;
      const says = `${where}: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}${ended}`;
      return [
        { pod: name, says, ...(imageReasons.includes(waiting.reason) ? { image: imageOf(pod, container.name) } : {}) },
      ];
    }),
  ];
}

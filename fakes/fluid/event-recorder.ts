import type { CoreV1Api, KubernetesObject } from '@kubernetes/client-node';

/** Something that happened to an object, for `kubectl describe`. */
export interface Happening {
  readonly about: KubernetesObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Writes Kubernetes events in the name of a component. An event that cannot be written is dropped: it decides nothing. */
export function eventRecorder(core: CoreV1Api, component: string): (happening: Happening) => Promise<void> {
  return async ({ about, type, reason, message }) => {
    const { apiVersion = '', kind = '', metadata = {} } = about;
    const { name = '', namespace = 'default', uid = '', resourceVersion = '' } = metadata;
    const now = new Date();
    const body = {
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: component,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    await core.createNamespacedEvent({ namespace, body }).catch(() => undefined);
  };
}

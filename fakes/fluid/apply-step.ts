import type {
  KubeConfig,
  V1DaemonSet,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
} from '@kubernetes/client-node';
import { ApiException, AppsV1Api, CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import type { FluidKind, FluidObject } from './custom-objects.ts';
import { group, pluralOf, version } from './custom-objects.ts';
import { eventRecorder } from './event-recorder.ts';
import type { Made, Step } from './step.ts';

/** `overtaken`: somebody was faster, so that the plan is out of date; what they did comes by the watch. */
export type Applied = 'done' | 'overtaken';

const notFound = 404;
const conflict = 409;
const forbidden = 403;

/** What is there no more needs no status and no deletion. */
const isOfGone = (step: Step): boolean => step.do === 'delete' || step.do === 'set-status';

/** The whole namespace goes; that its dataset has gone comes by the watch. */
const isTerminating = (error: unknown): boolean =>
  error instanceof ApiException && error.code === forbidden && String(error.body).includes('NamespaceTerminating');

/** Does one step of a plan through the client. */
export function stepApplier(kubeConfig: KubeConfig): (step: Step) => Promise<Applied> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const record = eventRecorder(core, 'FluidController');

  const create = async (object: Made): Promise<void> => {
    const namespace = object.metadata?.namespace ?? '';
    switch (object.kind) {
      case 'PersistentVolume':
        await core.createPersistentVolume({ body: object as V1PersistentVolume });
        return;
      case 'PersistentVolumeClaim':
        await core.createNamespacedPersistentVolumeClaim({ namespace, body: object as V1PersistentVolumeClaim });
        return;
      case 'DaemonSet':
        await apps.createNamespacedDaemonSet({ namespace, body: object as V1DaemonSet });
        return;
      default:
        await core.createNamespacedPod({ namespace, body: object as V1Pod });
    }
  };
  const remove = async (object: Made): Promise<void> => {
    const { name = '', namespace = '', uid } = object.metadata ?? {};
    const body = uid === undefined ? {} : { preconditions: { uid } };
    // Objects of a watch have no kind of their own where they came with its first list.
    if (object.spec && 'containers' in object.spec) await core.deleteNamespacedPod({ name, namespace, body });
    else if (object.spec && 'template' in object.spec) await apps.deleteNamespacedDaemonSet({ name, namespace, body });
    else if (namespace === '') await core.deletePersistentVolume({ name, body });
    else await core.deleteNamespacedPersistentVolumeClaim({ name, namespace, body });
  };
  const createOnNode = async (pod: V1Pod): Promise<void> => {
    const { namespace = '', labels = {} } = pod.metadata ?? {};
    const { items } = await core.listNamespacedPod({
      namespace,
      labelSelector: `role=${labels.role},release=${labels.release}`,
      fieldSelector: `spec.nodeName=${pod.spec?.nodeName}`,
    });
    if (items.length === 0) await core.createNamespacedPod({ namespace, body: pod });
  };
  const setStatus = async (object: FluidObject, status: Readonly<Record<string, unknown>>): Promise<void> => {
    const { name = '', namespace = '' } = object.metadata;
    const plural = pluralOf[object.kind as FluidKind];
    const body = { ...object, status };
    await custom.replaceNamespacedCustomObjectStatus({ group, version, namespace, plural, name, body });
  };

  const apply = async (step: Step): Promise<void> => {
    switch (step.do) {
      case 'create':
        return create(step.object);
      case 'create-on-node':
        return createOnNode(step.pod);
      case 'delete':
        return remove(step.object);
      case 'set-status':
        await setStatus(step.object, step.status);
        for (const notice of step.notices) await record(notice);
    }
  };
  return async (step) => {
    try {
      await apply(step);
      return 'done';
    } catch (error) {
      if (error instanceof ApiException && error.code === conflict) return 'overtaken';
      if (error instanceof ApiException && error.code === notFound && isOfGone(step)) return 'done';
      if (isTerminating(error)) return 'done';
      throw error;
    }
  };
}

import type { KubernetesObject, V1CSIDriver, V1Namespace } from '@kubernetes/client-node';
import { driverName } from '../engine/model.ts';
import { agentAccess, besideAccess, statusReaderRole, webhookAccess } from './access.ts';
import { agentDaemonSet, besideDaemonSet } from './agent-daemonset.ts';
import { keeperDaemonSet } from './keeper-daemonset.ts';
import { hasTakeover, labelsFor, type ManifestOptions, names } from './options.ts';
import { webhookConfigurations, webhookDeployment, webhookSecret, webhookService } from './webhook-deployment.ts';

/** All deployed objects, in the order in which they are applied. */
export function manifests(options: ManifestOptions): readonly KubernetesObject[] {
  return [
    namespace(options),
    csiDriver(),
    ...agentAccess(options),
    statusReaderRole(names.agent),
    // Before the agent, whose pods mount its directory.
    ...keeper(options),
    agentDaemonSet(options),
    ...webhookAccess(options),
    webhookSecret(options),
    webhookService(options),
    // Before the webhook, which adds its certificate to them. From here on labelled pods need its approval.
    ...webhookConfigurations(options),
    webhookDeployment(options),
  ];
}

/** The objects for recovery alongside another node plugin; none of them exists before. */
export function besideManifests(options: ManifestOptions): readonly KubernetesObject[] {
  return [
    namespace(options),
    ...besideAccess(options),
    statusReaderRole(names.beside),
    ...keeper(options),
    besideDaemonSet(options),
  ];
}

const keeper = (options: ManifestOptions) => (hasTakeover(options) ? [keeperDaemonSet(options)] : []);

function namespace({ namespace: name }: ManifestOptions): V1Namespace {
  // Without the other two, a cluster whose defaults are stricter warns about each pod.
  const modes = ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'privileged']);
  const labels = { ...labelsFor(names.agent), ...Object.fromEntries(modes) };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** The same as Fluid's (`charts/fluid/fluid/templates/csi/driver.yaml`). */
function csiDriver(): V1CSIDriver {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: driverName, labels: labelsFor(names.agent) },
    spec: { attachRequired: false, podInfoOnMount: true },
  };
}

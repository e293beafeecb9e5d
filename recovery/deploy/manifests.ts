import type { KubernetesObject, V1CSIDriver, V1Namespace } from '@kubernetes/client-node';
import { driverName } from '../csi/identity.ts';
import { agentAccess, besideAccess, webhookAccess } from './access.ts';
import { agentDaemonSet, besideDaemonSet } from './agent-daemonset.ts';
import { labelsOf, names } from './names.ts';
import type { ManifestOptions } from './options.ts';
import { webhookConfigurations, webhookDeployment, webhookSecret, webhookService } from './webhook-deployment.ts';

/** All that is deployed, in the order in which it is applied. Pure. */
export function manifests(options: ManifestOptions): readonly KubernetesObject[] {
  return [
    namespace(options),
    csiDriver(),
    ...agentAccess(options),
    agentDaemonSet(options),
    ...webhookAccess(options),
    webhookSecret(options),
    webhookService(options),
    // Before the webhook, which says in them what is to be trusted: from here on a labelled pod waits for its yes.
    ...webhookConfigurations(options),
    webhookDeployment(options),
  ];
}

/** Recovery alone, for a cluster whose node plugin is another's: nothing that is there is touched. Pure. */
export function besideManifests(options: ManifestOptions): readonly KubernetesObject[] {
  return [namespace(options), ...besideAccess(options), besideDaemonSet(options)];
}

function namespace({ namespace: name }: ManifestOptions): V1Namespace {
  const labels = { ...labelsOf(names.agent), 'pod-security.kubernetes.io/enforce': 'privileged' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** As Fluid registers it (`charts/fluid/fluid/templates/csi/driver.yaml`). */
function csiDriver(): V1CSIDriver {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: driverName, labels: labelsOf(names.agent) },
    spec: { attachRequired: false, podInfoOnMount: true },
  };
}

import type { KubernetesObject, V1CSIDriver, V1Namespace } from '@kubernetes/client-node';
import { driverName } from '../csi/identity.ts';
import { agentAccess, webhookAccess } from './access.ts';
import { agentDaemonSet } from './agent-daemonset.ts';
import { labelsOf, names } from './names.ts';
import type { ManifestOptions } from './options.ts';
import { webhookDeployment, webhookService } from './webhook-deployment.ts';

/** All that is deployed, in the order in which it is applied. Pure. */
export function manifests(options: ManifestOptions): readonly KubernetesObject[] {
  return [
    namespace(options),
    csiDriver(),
    ...agentAccess(options),
    agentDaemonSet(options),
    ...webhookAccess(options),
    webhookService(options),
    webhookDeployment(options),
  ];
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

import type { V1DaemonSet } from '@kubernetes/client-node';

/** Selects pods by namespace and labels, and a container of each. */
export interface PodSelector {
  readonly namespace: string;
  /** `app=node-program`. */
  readonly labelSelector: string;
  readonly container: string;
}

/** What the DaemonSet of the node program is made of. */
export interface NodeProgramOptions {
  /** Of the run. */
  readonly namespace: string;
  /** Has Node 24 as `node` and the bundle at `bundleInImage`. */
  readonly image: string;
  /** On the DaemonSet and its pods, beside its own. */
  readonly labels: Readonly<Record<string, string>>;
}

const name = 'node-program';
const container = 'node-program';

/** Where its pods are, for `runKubernetesCluster`. */
export function nodeProgramPods(namespace: string): PodSelector {
  return { namespace, labelSelector: `app=${name}`, container };
}

/**
 * A pod on each node from which the harness looks into containers and breaks them: privileged, with the node's processes.
 * It waits there; a session is a process in it that execs come and go to. Nothing of it is left on the node when it is gone.
 */
export function nodeProgramDaemonSet({ namespace, image, labels }: NodeProgramOptions): V1DaemonSet {
  const own = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels: { ...labels, ...own } },
    spec: {
      selector: { matchLabels: own },
      template: {
        metadata: { labels: { ...labels, ...own } },
        spec: {
          hostPID: true,
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: container,
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', 'infinity'],
              env: [
                { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              ],
              securityContext: { privileged: true },
              volumeMounts: [{ name: 'pod-logs', mountPath: '/var/log/pods', readOnly: true }],
            },
          ],
          volumes: [{ name: 'pod-logs', hostPath: { path: '/var/log/pods' } }],
        },
      },
    },
  };
}

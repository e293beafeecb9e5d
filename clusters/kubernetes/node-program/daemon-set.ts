import type { V1Affinity, V1DaemonSet } from '@kubernetes/client-node';
import { bundleFiles, bundleInImage } from './in-image.ts';
import { historyFile, sessionFolder } from './session.ts';

/** Selects pods by namespace and labels, and a container of each. */
export interface PodSelector {
  readonly namespace: string;
  /** `app=node-program`. */
  readonly labelSelector: string;
  readonly container: string;
}

export interface NodeProgramOptions {
  readonly runId: string;
  /** The run's namespace. */
  readonly namespace: string;
  /** Has Node 24 as `node`, and the bundle at `bundleInImage`. */
  readonly image: string;
  /** The only node that it runs on. Absent: all. */
  readonly node?: string;
  /** For the DaemonSet and its pods, in addition to its own. */
  readonly labels: Readonly<Record<string, string>>;
}

const name = 'node-program';
const container = 'node-program';

export function nodeProgramPods(namespace: string): PodSelector {
  return { namespace, labelSelector: `app=${name}`, container };
}

/**
 * The node program: a privileged pod on each node, in the node's PID namespace, from which the harness observes containers and
 * injects faults. It leaves nothing on the node.
 */
export function nodeProgramDaemonSet({ runId, namespace, image, node, labels }: NodeProgramOptions): V1DaemonSet {
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
          ...(node !== undefined && { affinity: onNode(node) }),
          containers: [
            {
              name: container,
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['node', `${bundleInImage}/${bundleFiles.session}`, runId],
              startupProbe: {
                exec: { command: ['test', '-s', `${sessionFolder(runId)}/${historyFile}`] },
                periodSeconds: 1,
              },
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

/** By name: the label kubernetes.io/hostname may differ from it. */
function onNode(node: string): V1Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } } };
}

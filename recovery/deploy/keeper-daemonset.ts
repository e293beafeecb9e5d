import type { V1DaemonSet } from '@kubernetes/client-node';
import { keeperDirectory } from '../keeper/protocol.ts';
import { onRealNodes, runtime, selinux } from './agent-daemonset.ts';
import { labelsFor, type ManifestOptions, names } from './options.ts';

/**
 * The keeper of FUSE connections. It needs no capability: descriptors are sent to it. It shares the node's processes, because it watches
 * those that send them. An administrator replaces it by hand, node by node, and only its deletion makes the kubelet do so.
 */
export function keeperDaemonSet(options: ManifestOptions): V1DaemonSet {
  const { namespace, image } = options;
  const name = names.keeper;
  const labels = labelsFor(name);
  const volume = 'keeper-dir';
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: { app: name } },
      updateStrategy: { type: 'OnDelete' },
      template: {
        metadata: { labels },
        spec: {
          ...runtime(options),
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          hostPID: true,
          priorityClassName: 'system-node-critical',
          terminationGracePeriodSeconds: 1,
          tolerations: [{ operator: 'Exists' }],
          affinity: { nodeAffinity: onRealNodes },
          containers: [
            {
              name: 'keeper',
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['/usr/local/bin/node', '/opt/rekindle/keeper.mjs'],
              args: [`--directory=${keeperDirectory}`],
              securityContext: {
                runAsUser: 0,
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                seccompProfile: { type: 'RuntimeDefault' },
                ...selinux,
              },
              resources: { requests: { cpu: '5m', memory: '48Mi' }, limits: { memory: '128Mi' } },
              volumeMounts: [{ name: volume, mountPath: keeperDirectory }],
            },
          ],
          volumes: [{ name: volume, hostPath: { path: keeperDirectory, type: 'DirectoryOrCreate' } }],
        },
      },
    },
  };
}

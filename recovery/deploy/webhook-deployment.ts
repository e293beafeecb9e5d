import type { V1Deployment, V1Service } from '@kubernetes/client-node';
import { v8Flags } from '../agent/v8-flags.ts';
import { labelsOf, names } from './names.ts';
import type { ManifestOptions } from './options.ts';

const port = 9443;
const nobody = 65_532;
const health = { path: '/healthz', port: 'https', scheme: 'HTTPS' } as const;

/** The admission webhook: certificates of its own making, in memory; nothing of the node is mounted. */
export function webhookDeployment({ namespace, image, mountRoot }: ManifestOptions): V1Deployment {
  const labels = labelsOf(names.webhook);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: names.webhook, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: names.webhook } },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: names.webhook,
          priorityClassName: 'system-cluster-critical',
          terminationGracePeriodSeconds: 10,
          nodeSelector: { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
          tolerations: [
            { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
            { key: 'node-role.kubernetes.io/master', operator: 'Exists', effect: 'NoSchedule' },
          ],
          securityContext: {
            runAsNonRoot: true,
            runAsUser: nobody,
            runAsGroup: nobody,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'webhook',
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['/usr/local/bin/node', ...v8Flags, '/opt/rekindle/webhook.mjs'],
              args: [
                `--listen=0.0.0.0:${port}`,
                `--mount-root=${mountRoot}`,
                `--register=${namespace}/${names.webhook}`,
              ],
              ports: [{ name: 'https', containerPort: port }],
              securityContext: {
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
              startupProbe: { tcpSocket: { port: 'https' }, periodSeconds: 1, failureThreshold: 60 },
              readinessProbe: { httpGet: health, periodSeconds: 2, failureThreshold: 2 },
              livenessProbe: {
                tcpSocket: { port: 'https' },
                periodSeconds: 10,
                failureThreshold: 6,
                timeoutSeconds: 5,
              },
              resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
            },
          ],
        },
      },
    },
  };
}

/** Where the API server finds it. */
export function webhookService({ namespace }: ManifestOptions): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: names.webhook, namespace, labels: labelsOf(names.webhook) },
    spec: {
      selector: { app: names.webhook },
      ports: [{ name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' }],
    },
  };
}

import type { KubernetesObject, V1Deployment, V1Secret, V1Service } from '@kubernetes/client-node';
import { v8Flags } from '../agent/v8-flags.ts';
import { configurations, exemptNamespaces } from '../webhook/registration.ts';
import { hasFlag } from './access.ts';
import { onRealNodes, runtime } from './agent-daemonset.ts';
import { labelsFor, type ManifestOptions, names } from './options.ts';

const nobody = 65_532;
const health = { path: '/healthz', port: 'https', scheme: 'HTTPS' } as const;

/** The admission webhook. It makes its own certificates, which its replicas share, and mounts nothing from the node. */
export function webhookDeployment(options: ManifestOptions): V1Deployment {
  const { namespace, image, mountRoot, webhookPort: port, webhookHostNetwork, agentArgs } = options;
  const labels = labelsFor(names.webhook);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: names.webhook, namespace, labels },
    spec: {
      replicas: 2,
      // In the network of a node the new pod needs the port of the old one.
      ...(webhookHostNetwork && {
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      }),
      selector: { matchLabels: { app: names.webhook } },
      template: {
        metadata: { labels },
        spec: {
          ...runtime(options),
          ...(webhookHostNetwork && { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }),
          serviceAccountName: names.webhook,
          priorityClassName: 'system-cluster-critical',
          terminationGracePeriodSeconds: 10,
          affinity: { nodeAffinity: onRealNodes, podAntiAffinity: onSeparateNodes },
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
                `--listen=:${port}`,
                `--mount-root=${mountRoot}`,
                // It refuses what the agents do not recover.
                ...(hasFlag(agentArgs, 'sub-path', 'recover') ? ['--sub-path=recover'] : []),
                `--register=${namespace}/${names.webhook}`,
                `--certificate-secret=${namespace}/${names.certificates}`,
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

/** Preferred, so that one node suffices. */
const onSeparateNodes = {
  preferredDuringSchedulingIgnoredDuringExecution: [
    {
      weight: 100,
      podAffinityTerm: {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: { matchLabels: { app: names.webhook } },
      },
    },
  ],
};

/** Empty; the webhook stores its certificate in it. */
export function webhookSecret({ namespace }: ManifestOptions): V1Secret {
  const metadata = { name: names.certificates, namespace, labels: labelsFor(names.webhook) };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' };
}

/** The webhook adds the certificate authority itself. */
export function webhookConfigurations({ namespace }: ManifestOptions): readonly KubernetesObject[] {
  const endpoint = { service: { namespace, name: names.webhook, port: 443 } };
  const exempt = [...new Set([...exemptNamespaces, namespace])];
  return configurations({ endpoint, exemptNamespaces: exempt }).map((configuration) => {
    const { metadata } = configuration as KubernetesObject;
    const labels = { ...metadata?.labels, ...labelsFor(names.webhook) };
    return { ...configuration, metadata: { ...metadata, labels } };
  });
}

export function webhookService({ namespace }: ManifestOptions): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: names.webhook, namespace, labels: labelsFor(names.webhook) },
    spec: {
      selector: { app: names.webhook },
      ports: [{ name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' }],
    },
  };
}

import type { V1Container, V1DaemonSet, V1PodSpec } from '@kubernetes/client-node';
import { v8Flags } from '../agent/v8-flags.ts';
import { driverName } from '../csi/identity.ts';
import { labelsOf, names } from './names.ts';
import type { ManifestOptions } from './options.ts';

/**
 * SYS_ADMIN, SYS_PTRACE, SYS_CHROOT and DAC_READ_SEARCH enter mount namespaces and mount there; SETUID and SETGID read as the
 * consumer does, and KILL ends a reader of another user that hangs (docs/adr/0013).
 */
const capabilities = ['SYS_ADMIN', 'SYS_PTRACE', 'SYS_CHROOT', 'DAC_READ_SEARCH', 'SETUID', 'SETGID', 'KILL'];

const port = 8080;
const seconds = (periodSeconds: number, failureThreshold: number) => ({ periodSeconds, failureThreshold });

/**
 * The node agent (Fluid `charts/fluid/fluid/templates/csi/daemonset.yaml`): CSI node plugin and recovery in one container that
 * registers itself. It enters the kubelet's mount namespace, so that it needs neither `privileged` nor Bidirectional.
 */
export function agentDaemonSet(options: ManifestOptions): V1DaemonSet {
  const { namespace } = options;
  const labels = labelsOf(names.agent);
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: names.agent, namespace, labels },
    spec: {
      selector: { matchLabels: { app: names.agent } },
      // A node without its plugin publishes nothing and recovers nothing for some seconds.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      template: {
        metadata: {
          labels,
          ...(options.appArmor === 'annotation' ? { annotations: unconfined(names.agentContainer) } : {}),
        },
        spec: agentPod(options),
      },
    },
  };
}

function agentPod(options: ManifestOptions): V1PodSpec {
  const { kubeletRoot } = options;
  return {
    serviceAccountName: names.agent,
    hostPID: true,
    priorityClassName: 'system-node-critical',
    terminationGracePeriodSeconds: 5,
    tolerations: [{ operator: 'Exists' }],
    affinity: { nodeAffinity: onRealNodes },
    containers: [agentContainer(options)],
    volumes: [
      { name: 'plugin-dir', hostPath: { path: socketDirectory(kubeletRoot), type: 'DirectoryOrCreate' } },
      { name: 'registration-dir', hostPath: { path: `${kubeletRoot}/plugins_registry`, type: 'DirectoryOrCreate' } },
    ],
  };
}

const socketDirectory = (kubeletRoot: string) => `${kubeletRoot}/csi-plugins/${driverName}`;

/** A virtual node has no kubelet to mount anything; the image is for x86-64. */
const onRealNodes = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      {
        matchExpressions: [
          { key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] },
          { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
        ],
      },
    ],
  },
};

function agentContainer({ image, gate, agentArgs, kubeletRoot, mountRoot, appArmor }: ManifestOptions): V1Container {
  return {
    name: names.agentContainer,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/usr/local/bin/node', ...v8Flags, '/opt/rekindle/agent.mjs'],
    args: [
      '--nodeid=$(NODE_ID)',
      '--endpoint=$(CSI_ENDPOINT)',
      `--feature-gates=FuseRecovery=${gate}`,
      '--node-mount-namespace=kubelet',
      `--kubelet-registration-path=${socketDirectory(kubeletRoot)}/csi.sock`,
      '--plugin-registration-path=/registration',
      `--metrics-addr=:${port}`,
      ...agentArgs,
    ],
    env: [
      { name: 'NODE_ID', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'CSI_ENDPOINT', value: 'unix:///plugin/csi.sock' },
      { name: 'KUBELET_ROOTDIR', value: kubeletRoot },
      { name: 'MOUNT_ROOT', value: mountRoot },
      { name: 'RECOVER_FUSE_PERIOD', value: '5s' },
    ],
    ports: [{ name: 'metrics', containerPort: port }],
    securityContext: {
      runAsUser: 0,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: [...capabilities] },
      seccompProfile: { type: 'RuntimeDefault' },
      ...(appArmor === 'field' ? { appArmorProfile: { type: 'Unconfined' } } : {}),
    },
    startupProbe: { httpGet: { path: '/livez', port: 'metrics' }, ...seconds(1, 60) },
    readinessProbe: { httpGet: { path: '/healthz', port: 'metrics' }, ...seconds(2, 2) },
    livenessProbe: { httpGet: { path: '/livez', port: 'metrics' }, timeoutSeconds: 5, ...seconds(10, 6) },
    resources: { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '384Mi' } },
    volumeMounts: [
      { name: 'plugin-dir', mountPath: '/plugin' },
      { name: 'registration-dir', mountPath: '/registration' },
    ],
  };
}

/** AppArmor's default profile denies mounts. */
const unconfined = (container: string) => ({
  [`container.apparmor.security.beta.kubernetes.io/${container}`]: 'unconfined',
});

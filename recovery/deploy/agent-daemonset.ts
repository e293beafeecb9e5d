import type { KubernetesObject, V1Container, V1DaemonSet, V1PodSpec } from '@kubernetes/client-node';
import { gateIn } from '../agent/other-plugin.ts';
import { v8Flags } from '../agent/v8-flags.ts';
import { driverName } from '../engine/model.ts';
import { keeperDirectory } from '../keeper/protocol.ts';
import { listAt, objectAt } from '../kubernetes/json.ts';
import { type FurtherGate, hasTakeover, labelsFor, type ManifestOptions, names } from './options.ts';

/**
 * SYS_ADMIN, SYS_PTRACE, SYS_CHROOT and DAC_READ_SEARCH are needed to enter mount namespaces and to mount in them, SETUID and SETGID
 * to read as the consumer, and KILL to end such a reader if it hangs (docs/adr/0013).
 */
export const capabilities = ['SYS_ADMIN', 'SYS_PTRACE', 'SYS_CHROOT', 'DAC_READ_SEARCH', 'SETUID', 'SETGID', 'KILL'];

const port = 8080;
/** On the loopback address of the pod. */
export const statusPort = 8081;
const socketDirectory = (kubeletRoot: string) => `${kubeletRoot}/csi-plugins/${driverName}`;

/** The differences between the two kinds of node agent. */
interface AgentVariant {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: V1Container['env'];
  /** Host directories and where they are mounted. */
  readonly mounts: readonly HostMount[];
}

interface HostMount {
  readonly name: string;
  readonly mountPath: string;
  readonly path: string;
  readonly readOnly?: true;
}

/** Where the agent reads which connections the keeper holds. */
const keeperMounts = (options: ManifestOptions): readonly HostMount[] =>
  hasTakeover(options)
    ? [{ name: 'keeper-dir', mountPath: keeperDirectory, path: keeperDirectory, readOnly: true }]
    : [];

/**
 * The node agent (Fluid `charts/fluid/fluid/templates/csi/daemonset.yaml`): CSI node plugin and recovery in one container, which
 * registers itself. As it enters the kubelet's mount namespace, it needs neither `privileged` nor Bidirectional propagation.
 */
export function agentDaemonSet(options: ManifestOptions): V1DaemonSet {
  const { kubeletRoot } = options;
  return agentSet(options, {
    name: names.agent,
    args: [
      '--endpoint=$(CSI_ENDPOINT)',
      `--kubelet-registration-path=${socketDirectory(kubeletRoot)}/csi.sock`,
      '--plugin-registration-path=/registration',
    ],
    env: [{ name: 'CSI_ENDPOINT', value: 'unix:///plugin/csi.sock' }],
    mounts: [
      { name: 'plugin-dir', mountPath: '/plugin', path: socketDirectory(kubeletRoot) },
      { name: 'registration-dir', mountPath: '/registration', path: `${kubeletRoot}/plugins_registry` },
      ...keeperMounts(options),
    ],
  });
}

/** Recovery alongside another node plugin, without CSI socket, registration and host directories. */
export function besideDaemonSet(options: ManifestOptions): V1DaemonSet {
  const args = [`--beside=${names.namespace}/${names.agent}`];
  return agentSet(options, { name: names.beside, args, env: [], mounts: keeperMounts(options) });
}

function agentSet(options: ManifestOptions, agent: AgentVariant): V1DaemonSet {
  const { namespace, appArmor } = options;
  const labels = labelsFor(agent.name);
  const annotations = appArmor === 'annotation' ? { annotations: unconfined } : {};
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: agent.name, namespace, labels },
    spec: {
      selector: { matchLabels: { app: agent.name } },
      // While its agent is replaced, a node publishes and recovers nothing for some seconds.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      template: { metadata: { labels, ...annotations }, spec: pod(options, agent) },
    },
  };
}

/** AppArmor's default profile denies mounts. */
const unconfined = { [`container.apparmor.security.beta.kubernetes.io/${names.agentContainer}`]: 'unconfined' };

function pod(options: ManifestOptions, agent: AgentVariant): V1PodSpec {
  const volumes = agent.mounts.map(({ name, path }) => ({ name, hostPath: { path, type: 'DirectoryOrCreate' } }));
  return {
    ...runtime(options),
    serviceAccountName: agent.name,
    hostPID: true,
    priorityClassName: 'system-node-critical',
    terminationGracePeriodSeconds: 5,
    tolerations: [{ operator: 'Exists' }],
    affinity: { nodeAffinity: onRealNodes },
    containers: [container(options, agent)],
    ...(volumes.length === 0 ? {} : { volumes }),
  };
}

export const runtime = ({ runtimeClass }: ManifestOptions): Pick<V1PodSpec, 'runtimeClassName'> =>
  runtimeClass === undefined ? {} : { runtimeClassName: runtimeClass };

/** With SELinux enforcing, ordinary containers may neither enter the kubelet's namespace nor write to its directories. */
export const selinux = { seLinuxOptions: { type: 'spc_t' } };

/** Virtual nodes have no kubelet to mount anything, and Fargate runs no DaemonSets. The image is for these processors. */
export const onRealNodes = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      {
        matchExpressions: [
          { key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] },
          { key: 'eks.amazonaws.com/compute-type', operator: 'NotIn', values: ['fargate'] },
          { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64', 'arm64'] },
        ],
      },
    ],
  },
};

function container(
  { image, gate, furtherGates, agentArgs, kubeletRoot, mountRoot, appArmor }: ManifestOptions,
  { args, env = [], mounts }: AgentVariant,
): V1Container {
  const volumeMounts = mounts.map(({ path: _, ...mount }) => mount);
  return {
    name: names.agentContainer,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/usr/local/bin/node', ...v8Flags, '/opt/rekindle/agent.mjs'],
    args: [
      '--nodeid=$(NODE_ID)',
      ...args,
      // On a line of its own, so that administrators can change it by sed.
      `--feature-gates=${[`FuseRecovery=${gate}`, ...furtherGates.map((name) => `${name}=true`)]}`,
      '--node-mount-namespace=kubelet',
      `--metrics-addr=:${port}`,
      `--status-addr=127.0.0.1:${statusPort}`,
      ...agentArgs,
    ],
    env: [
      { name: 'NODE_ID', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      ...env,
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
      ...selinux,
      ...(appArmor === 'field' ? { appArmorProfile: { type: 'Unconfined' } } : {}),
    },
    startupProbe: {
      httpGet: { path: '/livez', port: 'metrics' },
      periodSeconds: 1,
      failureThreshold: 60,
      timeoutSeconds: 5,
    },
    readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' }, periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: {
      httpGet: { path: '/livez', port: 'metrics' },
      periodSeconds: 10,
      failureThreshold: 6,
      timeoutSeconds: 5,
    },
    resources: { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '384Mi' } },
    ...(volumeMounts.length === 0 ? {} : { volumeMounts }),
  };
}

/** A gate in the flags of a node plugin's DaemonSet; undefined if there is no plugin or no such flag. */
export function liveGate(
  daemonSet: KubernetesObject | undefined,
  name: 'FuseRecovery' | FurtherGate = 'FuseRecovery',
): boolean | undefined {
  const containers = listAt(objectAt(daemonSet, 'spec', 'template', 'spec'), 'containers');
  const gates = containers.flatMap(({ command, args }) => gateIn([command, args].flat(), name) ?? []);
  return gates.length === 0 ? undefined : gates.some(Boolean);
}

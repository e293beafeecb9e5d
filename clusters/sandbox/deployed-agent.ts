import { mkdirSync } from 'node:fs';
import type { V1DaemonSet, V1Pod } from '@kubernetes/client-node';
import { type ContainerSpec, containerEnvironment, expand, privilegesOf } from '../../fakes/kubelet/container.ts';
import { agentDaemonSet } from '../../recovery/deploy/agent-daemonset.ts';
import { defaultOptions, type ManifestOptions } from '../../recovery/deploy/options.ts';

export interface DeployedAgentOptions {
  readonly manifest: Omit<Partial<ManifestOptions>, 'gate'>;
  /** `default`: the manifest's flag is left out. */
  readonly gate: boolean | 'default';
  readonly nodeName: string;
  /** Replaces the command of the image. */
  readonly program: readonly string[];
  /** A directory of the node: the volume of the service account. */
  readonly account: string;
  /** In addition to the manifest's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** `ServiceAccount` of kube-apiserver's admission. */
const accountMount = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The agent's container according to the manifest that `rekindle deploy` applies: its arguments, environment, host directories,
 * user, capabilities, no_new_privs and read-only root. Creates the host directories.
 */
export function deployedAgent({
  manifest,
  gate,
  nodeName,
  program,
  account,
  environment,
}: DeployedAgentOptions): ContainerSpec {
  const daemonSet = agentDaemonSet({ ...defaultOptions, ...manifest, gate: gate === true });
  const container = deployedContainer({ daemonSet, nodeName, program, environment });
  const argv = container.argv.filter((argument) => gate !== 'default' || !argument.startsWith('--feature-gates='));
  return {
    ...container,
    argv,
    mounts: [...container.mounts, { source: account, target: accountMount, readOnly: true, propagation: 'None' }],
  };
}

export interface DeployedContainerOptions extends Pick<DeployedAgentOptions, 'nodeName' | 'program' | 'environment'> {
  readonly daemonSet: V1DaemonSet;
}

/** The container of a DaemonSet that `rekindle deploy` applies. Creates its host directories. */
export function deployedContainer({
  daemonSet,
  nodeName,
  program,
  environment,
}: DeployedContainerOptions): ContainerSpec {
  const { spec } = daemonSet.spec?.template ?? {};
  const [container] = spec?.containers ?? [];
  const { name = '' } = daemonSet.metadata ?? {};
  if (!spec || !container) throw new Error(`DaemonSet ${name} has no container`);
  const pod: V1Pod = { spec: { ...spec, nodeName } };
  const own = { ...environment, ...containerEnvironment(container, pod) };
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath: target, readOnly = false }) => {
    const source = spec.volumes?.find((volume) => volume.name === name)?.hostPath?.path;
    if (source === undefined) throw new Error(`volume ${name} is no host directory`);
    mkdirSync(source, { recursive: true });
    return { source, target, readOnly, propagation: 'None' } as const;
  });
  // Not of the manifest: `recovery/agent/turns.ts` lets the agent write its record there.
  const { REKINDLE_TURNS: turns } = environment;
  if (turns !== undefined) mounts.push({ source: turns, target: turns, readOnly: false, propagation: 'None' });
  return {
    argv: [...program, ...(container.args ?? []).map((argument) => expand(argument, own) ?? argument)],
    environment: own,
    workingDirectory: '/',
    mounts,
    files: new Set<string>(),
    ...(spec.hostPID && { hostPid: true }),
    privileges: privilegesOf(pod, container),
  };
}

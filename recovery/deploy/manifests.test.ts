import type { KubernetesObject, V1DaemonSet, V1Deployment } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseFlags } from '../agent/flags.ts';
import { parseKeeperFlags } from '../keeper/flags.ts';
import { parseWebhookFlags } from '../webhook/flags.ts';
import { liveGate } from './agent-daemonset.ts';
import { isOurs } from './api.ts';
import { toYaml } from './kustomize.ts';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions } from './options.ts';

const all = manifests(defaultOptions);
const beside = besideManifests({ ...defaultOptions, gate: true });
const find = <T extends KubernetesObject>(objects: readonly KubernetesObject[], kind: string, name: string): T =>
  objects.find((object) => object.kind === kind && object.metadata?.name === name) as T;
const agent = find<V1DaemonSet>(all, 'DaemonSet', 'csi-nodeplugin-fluid');
const recovery = find<V1DaemonSet>(beside, 'DaemonSet', 'rekindle-recovery');
const webhook = find<V1Deployment>(all, 'Deployment', 'fluid-webhook');
const podOf = ({ spec }: V1DaemonSet | V1Deployment) => spec?.template.spec ?? { containers: [] };
const containerOf = (workload: V1DaemonSet | V1Deployment) => podOf(workload).containers[0];
const env = (workload: V1DaemonSet) =>
  Object.fromEntries(containerOf(workload)?.env?.map(({ name, value }) => [name, value ?? 'node-1']) ?? []);

/** Arguments with variables replaced, as the kubelet does. */
const argv = (workload: V1DaemonSet) =>
  containerOf(workload)?.args?.map((arg) => arg.replace(/\$\((\w+)\)/g, (_, name) => env(workload)[name] ?? '')) ?? [];

describe('the keeper', () => {
  const objects = manifests({ ...defaultOptions, furtherGates: ['FuseTakeover'] });
  const keeper = find<V1DaemonSet>(objects, 'DaemonSet', 'rekindle-keeper');

  it('is deployed only if the gate is on, and is replaced only by hand', () => {
    expect(find(all, 'DaemonSet', 'rekindle-keeper')).toBeUndefined();
    expect(keeper.spec?.updateStrategy).toEqual({ type: 'OnDelete' });
  });

  it('starts with valid flags and no capability, and sees the processes of the node', () => {
    const { args = [], securityContext } = containerOf(keeper) ?? {};
    expect(parseKeeperFlags(args)).toMatchObject({ kind: 'run', options: { directory: '/run/rekindle-keeper' } });
    expect(securityContext?.capabilities).toEqual({ drop: ['ALL'] });
    expect(podOf(keeper).hostPID).toBe(true);
  });

  it('shares its directory with the agent, which may only read it', () => {
    const mounts = (workload: V1DaemonSet) => containerOf(workload)?.volumeMounts ?? [];
    const withGate = find<V1DaemonSet>(objects, 'DaemonSet', 'csi-nodeplugin-fluid');
    const own = { name: 'keeper-dir', mountPath: '/run/rekindle-keeper' };
    expect(mounts(keeper)).toEqual([own]);
    expect(mounts(withGate)).toContainEqual({ ...own, readOnly: true });
    expect(mounts(agent).map(({ name }) => name)).not.toContain('keeper-dir');
  });
});

describe('the deployed objects', () => {
  it('have our label', () => {
    expect([...all, ...beside].filter((object) => !isOurs(object))).toEqual([]);
  });

  it('start the agent with valid flags and recovery off', () => {
    expect(parseFlags({ argv: argv(agent), env: env(agent) })).toMatchObject({
      kind: 'run',
      options: {
        nodeId: 'node-1',
        policy: { enabled: false },
        nodeMountNamespace: 'kubelet',
        csi: {
          endpoint: 'unix:///plugin/csi.sock',
          registration: {
            endpoint: '/var/lib/kubelet/csi-plugins/fuse.csi.fluid.io/csi.sock',
            directory: '/registration',
          },
        },
      },
    });
  });

  it('have the gate on a line of its own, as the document finds and changes it', () => {
    const lines = toYaml([agent]).split('\n');
    expect(lines.filter((line) => line.includes('- --feature-gates='))).toEqual([
      expect.stringMatching(/^ +- --feature-gates=FuseRecovery=false$/),
    ]);
  });

  it('start the webhook with valid flags', () => {
    expect(parseWebhookFlags({ argv: containerOf(webhook)?.args ?? [], env: {} })).toMatchObject({
      kind: 'run',
      options: { certificateSecret: { namespace: 'fluid-system', name: 'fluid-webhook-certificates' } },
    });
  });

  it('mount nothing from the node but the two directories of the plugin, and neither of them Bidirectional', () => {
    expect(podOf(agent).volumes?.map(({ hostPath }) => hostPath?.path)).toEqual([
      '/var/lib/kubelet/csi-plugins/fuse.csi.fluid.io',
      '/var/lib/kubelet/plugins_registry',
    ]);
    expect(containerOf(agent)?.volumeMounts?.filter(({ mountPropagation }) => mountPropagation)).toEqual([]);
    expect(podOf(webhook).volumes ?? []).toEqual([]);
  });

  it.each([
    ['agent', agent],
    ['agent alongside another', recovery],
    ['webhook', webhook],
  ])('give the %s only the privileges that it needs', (_, workload) => {
    const { securityContext } = containerOf(workload) ?? {};
    expect(securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(securityContext?.privileged).toBeUndefined();
    expect({ ...podOf(workload).securityContext, ...securityContext }.seccompProfile).toEqual({
      type: 'RuntimeDefault',
    });
  });

  it('send the webhook labelled pods only, and none of kube-system', () => {
    const configurations = all.filter(({ kind }) => kind?.endsWith('WebhookConfiguration'));
    const webhooks = configurations.flatMap(
      (configuration) => (configuration as never as { webhooks: object[] }).webhooks,
    );
    expect(webhooks).toHaveLength(4);
    for (const one of webhooks) {
      expect(one).toMatchObject({
        failurePolicy: 'Fail',
        objectSelector: { matchLabels: expect.anything() },
        namespaceSelector: {
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'fluid-system'] },
          ],
        },
      });
    }
  });

  it('follow the nodes: directories, network and runtime', () => {
    const places = { kubeletRoot: '/data/kubelet', mountRoot: '/var/lib/runtime-mnt', runtimeClass: 'runc' };
    const network = { webhookPort: 10_250, webhookHostNetwork: true };
    const moved = manifests({
      ...defaultOptions,
      ...places,
      ...network,
      furtherGates: ['FuseTakeover'],
      gate: true,
    });
    const movedAgent = find<V1DaemonSet>(moved, 'DaemonSet', 'csi-nodeplugin-fluid');
    const movedWebhook = find<V1Deployment>(moved, 'Deployment', 'fluid-webhook');
    expect(parseFlags({ argv: argv(movedAgent), env: env(movedAgent) })).toMatchObject({
      options: {
        kubeletRoot: '/data/kubelet',
        mountRoot: '/var/lib/runtime-mnt',
        csi: { registration: { endpoint: '/data/kubelet/csi-plugins/fuse.csi.fluid.io/csi.sock' } },
      },
    });
    expect(podOf(movedAgent).volumes?.map(({ hostPath }) => hostPath?.path)).toContain(
      '/data/kubelet/plugins_registry',
    );
    expect(parseWebhookFlags({ argv: containerOf(movedWebhook)?.args ?? [], env: {} })).toMatchObject({
      options: { host: undefined, port: 10_250, mountRoot: '/var/lib/runtime-mnt' },
    });
    expect(containerOf(movedWebhook)?.ports).toEqual([{ name: 'https', containerPort: 10_250 }]);
    expect(podOf(movedWebhook)).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
    expect(movedWebhook.spec?.strategy?.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
    const workloads = moved.filter(({ kind = '' }) => ['DaemonSet', 'Deployment'].includes(kind));
    expect(workloads.map((object) => podOf(object as V1DaemonSet).runtimeClassName)).toEqual(Array(3).fill('runc'));
  });

  it('let the webhook admit what the agents recover', () => {
    const recovers = (...agentArgs: readonly string[]) => {
      const found = find<V1Deployment>(manifests({ ...defaultOptions, agentArgs }), 'Deployment', 'fluid-webhook');
      const parsed = parseWebhookFlags({ argv: containerOf(found)?.args ?? [], env: {} });
      return parsed.kind === 'run' && parsed.options.recoversSubPath;
    };
    expect(recovers('--pods=all', '--sub-path=recover')).toBe(true);
    expect(recovers('--sub-path', 'recover')).toBe(true);
    expect(recovers('--sub-path=recover', '--sub-path=refuse')).toBe(false);
    expect(recovers('--sub-path=refuse')).toBe(false);
  });

  it('may use the directories of a node with SELinux, and the webhook needs none', () => {
    const type = (workload: V1DaemonSet | V1Deployment) => containerOf(workload)?.securityContext?.seLinuxOptions?.type;
    expect([agent, recovery].map(type)).toEqual(['spc_t', 'spc_t']);
    expect(type(webhook)).toBeUndefined();
  });

  it('are in a namespace that allows their pods, without a warning for each', () => {
    expect(find(all, 'Namespace', 'fluid-system').metadata?.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'privileged',
      'pod-security.kubernetes.io/audit': 'privileged',
      'pod-security.kubernetes.io/warn': 'privileged',
    });
  });

  it('avoid virtual nodes', () => {
    const terms =
      podOf(agent).affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    expect(terms?.[0]?.matchExpressions).toContainEqual({
      key: 'type',
      operator: 'NotIn',
      values: ['virtual-kubelet'],
    });
    expect(terms?.[0]?.matchExpressions).toContainEqual({
      key: 'eks.amazonaws.com/compute-type',
      operator: 'NotIn',
      values: ['fargate'],
    });
    expect(terms?.[0]?.matchExpressions).toContainEqual({
      key: 'kubernetes.io/arch',
      operator: 'In',
      values: ['amd64', 'arm64'],
    });
  });

  it('turn AppArmor off as the version of Kubernetes requires', () => {
    const old = find<V1DaemonSet>(
      manifests({ ...defaultOptions, appArmor: 'annotation' }),
      'DaemonSet',
      'csi-nodeplugin-fluid',
    );
    expect(containerOf(agent)?.securityContext?.appArmorProfile).toEqual({ type: 'Unconfined' });
    expect(containerOf(old)?.securityContext?.appArmorProfile).toBeUndefined();
    expect(old.spec?.template.metadata?.annotations).toEqual({
      'container.apparmor.security.beta.kubernetes.io/plugins': 'unconfined',
    });
  });
});

describe('the objects deployed alongside another node plugin', () => {
  it('register no driver, have other names, and mount nothing from the node', () => {
    expect(beside.map(({ kind }) => kind)).not.toContain('CSIDriver');
    expect(parseFlags({ argv: argv(recovery), env: env(recovery) })).toMatchObject({
      kind: 'run',
      options: {
        csi: undefined,
        policy: { enabled: true },
        beside: { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid' },
      },
    });
    expect(podOf(recovery).volumes).toBeUndefined();
    const titles = (objects: readonly KubernetesObject[]) =>
      objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
    const inPlace = titles(manifests({ ...defaultOptions, namespace: 'rekindle-system' }));
    const shared = titles(besideManifests({ ...defaultOptions, namespace: 'rekindle-system' })).filter((title) =>
      inPlace.includes(title),
    );
    expect(shared).toEqual(['Namespace rekindle-system']);
  });
});

describe('the live gate', () => {
  const plugin = (args: readonly string[], command: readonly string[] = []) =>
    ({
      spec: { template: { spec: { containers: [{ name: 'registrar' }, { name: 'plugins', command, args }] } } },
    }) as never;

  it.each<[string, KubernetesObject | undefined, boolean | undefined]>([
    ['is unknown without a plugin', undefined, undefined],
    ['is unknown without a flag', plugin(['--v=5']), undefined],
    ['is off', plugin(['--feature-gates=FuseRecovery=false']), false],
    ['is on', plugin(['--feature-gates=FuseRecovery=true']), true],
    ['is on among others', plugin(['--feature-gates=Other=false,FuseRecovery=True,More=false']), true],
    ['is the last one', plugin(['--feature-gates=FuseRecovery=true', '--feature-gates=FuseRecovery=0']), false],
    ['is found in the command', plugin([], ['fluid-csi', 'start', '--feature-gates=FuseRecovery=t']), true],
  ])('%s', (_, object, gate) => {
    expect(liveGate(object)).toBe(gate);
  });
});

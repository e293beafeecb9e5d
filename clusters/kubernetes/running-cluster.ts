import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { isSince } from '../../recovery/linux/kernel-tier.ts';
import type { Fidelity } from '../../src/timeline/record.ts';
import { mountsBeneath } from '../agent-tier.ts';
import { kubernetesCapabilities } from '../capabilities.ts';
import {
  type AgentOptions,
  CannotRun,
  type Capability,
  type ClusterEvent,
  type ContainerRef,
  type RunningCluster,
  type RunningProgram,
  type StoreTrouble,
} from '../cluster.ts';
import { watchKubernetesEvents } from '../kubernetes-events.ts';
import { onLines } from '../node/lines.ts';
import { hasKubectl, openTerminal, runCommandLine, withNamespace } from '../terminal.ts';
import { AgentControl, type AgentDaemonSet } from './agent-control.ts';
import { ContainerLogs } from './container-logs.ts';
import { execToEnd, startExec } from './exec.ts';
import { withNodes } from './fidelity.ts';
import { type NodeLink, openNodeLink } from './node-link.ts';
import type { PodSelector } from './node-program/daemon-set.ts';
import { type PodWatch, watchPods } from './pod-watch.ts';
import { Releases } from './release.ts';

/** Scenarios have namespaces of their own, whose names begin with it. */
const namespacePrefix = 'rk-';

/**
 * The verbs of scenarios on a Kubernetes cluster that is up: the store, Fluid's controllers, the agent and the node program
 * run in it. Disposing of it gives the agent its flags back and ends the sessions with the node programs, and then `life`.
 */
export async function runKubernetesCluster(options: KubernetesClusterOptions): Promise<RunningCluster> {
  const { kubeConfig, onEvent, onProgress, signal } = options;
  await using stack = new AsyncDisposableStack();
  if (options.life) stack.use(options.life);
  const logs = stack.use(new ContainerLogs(options.resultsDir));
  stack.use(await watchKubernetesEvents(kubeConfig, onEvent));
  const pods = stack.use(await watchPods({ kubeConfig, namespacePrefix, onEvent }));
  onProgress('opening a session with each node');
  const nodes = await openNodeLinks(options, logs);
  for (const node of nodes) stack.use(node);
  onProgress('giving the node agent the flags of the run');
  const agent = stack.use(new AgentControl({ kubeConfig, daemonSet: options.agent, signal }));
  await agent.setFlags(options.agentOptions);
  const releases = stack.use(new Releases({ kubeConfig, nodes }));
  const agents = (await agent.pods()).flatMap(({ spec }) => spec?.nodeName ?? []).toSorted();
  return verbs({ options, nodes, pods, agent, agents, releases, life: stack.move() });
}

async function openNodeLinks(options: KubernetesClusterOptions, logs: ContainerLogs): Promise<readonly NodeLink[]> {
  const { kubeConfig, nodeProgram, agent, runId, store, holds, fakeDaemon, onEvent } = options;
  const { namespace, labelSelector, container } = nodeProgram;
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  if (items.length === 0)
    throw new CannotRun([{ what: `no node program runs in ${namespace}`, remedy: 'look at its DaemonSet' }]);
  return Promise.all(
    items.map(({ metadata }) =>
      openNodeLink({
        kubeConfig,
        pod: { namespace, pod: metadata?.name ?? '', container },
        session: {
          runId,
          namespacePrefix,
          agent: { namespace: agent.namespace, podPrefix: `${agent.name}-`, container: agent.container },
          store,
          holds,
          saysReady: fakeDaemon,
        },
        onEvent,
        onLog: (name, text) => logs.write(name, text),
      }),
    ),
  );
}

interface Parts {
  readonly options: KubernetesClusterOptions;
  readonly nodes: readonly NodeLink[];
  readonly pods: PodWatch;
  readonly agent: AgentControl;
  /** The nodes that have an agent; virtual ones have none. */
  readonly agents: readonly string[];
  readonly releases: Releases;
  readonly life: AsyncDisposableStack;
}

function verbs({ options, nodes, pods, agent, agents, releases, life }: Parts): RunningCluster {
  const { name, kubeConfig, store, environment, runId } = options;
  let lastId = 0;
  const ending = (node: NodeLink, id: number): AsyncDisposable => ({
    [Symbol.asyncDispose]: () => node.call('end', { id }).catch(() => {}),
  });
  /** A pod that is not known yet is on any: its node says that it does not run. */
  const nodeOf = ({ namespace, pod }: Pick<ContainerRef, 'namespace' | 'pod'>): NodeLink => {
    const on = pods.nodeOf(namespace, pod);
    const found = nodes.find(({ facts }) => facts.node === on) ?? nodes[0];
    if (!found) throw new Error('there is no session with any node');
    return found;
  };
  const first = nodeOf({ namespace: '', pod: '' });
  // Where a scenario's application is; what it does on "the node" it does there.
  let home = nodes.find(({ facts }) => facts.node === agents[0]) ?? first;
  /** Beside the scenario's application, where several nodes have one; a virtual node has none. */
  const agentNode = async () => {
    const on = agents.includes(home.facts.node) ? home.facts.node : agents[0];
    const node = nodes.find(({ facts }) => facts.node === on) ?? first;
    return { target: await agent.containerOn(node.facts.node), node };
  };
  return {
    name,
    fidelity: withNodes(options.fidelity, nodes),
    capabilities: new Set(capabilitiesOf(options, { nodes, agents })),
    ...(agents.length > 1 && agents[0] !== undefined && { applicationNode: agents[0] }),
    kernel: (nodes.find(({ facts }) => facts.node === agents[0]) ?? first).facts.kernel,
    patienceMs: 180_000,
    watchMs: 1500,
    kubeConfig,
    store,
    putObject: (key, body) => first.call('putObject', { key, base64: Buffer.from(body).toString('base64') }),
    askStore: (path, headers) => first.call('fetchStatus', { url: `${store.endpoint}${path}`, headers }),
    exec: (target, command, { timeoutMs = 60_000 } = {}) => execToEnd({ kubeConfig, target, command, timeoutMs }),
    async run(target, command, name): Promise<RunningProgram> {
      const running = await startExec({ kubeConfig, target, command });
      for (const stream of ['stdout', 'stderr'] as const)
        onLines(running[stream], (text) => options.onEvent({ kind: 'output', at: now(), program: name, stream, text }));
      return {
        name,
        exited: running.exited,
        async [Symbol.asyncDispose]() {
          running.close();
          await nodeOf(target)
            .call('endExec', { target, command })
            .catch(() => {}); // It may have ended with its pod.
        },
      };
    },
    async runProgram({ program, args, name, target }) {
      const id = ++lastId;
      const node = target ? nodeOf(target) : home;
      const exited = node.call('runProgram', { program, args, name, id, ...(target && { target }) });
      exited.catch(() => {}); // Who waits for the end hears of it.
      return { name, exited, ...ending(node, id) };
    },
    async kill(target, signal) {
      const node = nodeOf(target);
      return node.ours(await node.call('kill', { target, signal }));
    },
    async abortConnection(daemon) {
      const node = nodeOf(daemon);
      return node.ours(await node.call('abortConnection', { daemon }));
    },
    async outOfMemory(target) {
      const node = nodeOf(target);
      return node.ours(await node.call('outOfMemory', { target }));
    },
    async killWhenReady(daemon, delayMs) {
      const node = nodeOf(daemon);
      return node.ours(await node.call('killWhenReady', { daemon, delayMs }));
    },
    async holdRestarts(target) {
      const id = ++lastId;
      const node = nodeOf(target);
      await node.call('hold', { target, id });
      return ending(node, id);
    },
    async probe(probe) {
      const id = ++lastId;
      const node = nodeOf(probe.target);
      home = node;
      await node.call('probe', { options: probe, id });
      return ending(node, id);
    },
    async mountTable(target) {
      if (target) return nodeOf(target).call('mountTable', { target });
      return (await Promise.all(nodes.map(({ call }) => call('mountTable', {})))).flat();
    },
    commandLine: (line) => runCommandLine({ line, kubeConfig: kubeConfig.exportConfig(), environment, runId }),
    openTerminal: async (namespace) =>
      openTerminal({ kubeConfig: withNamespace(kubeConfig, namespace), environment, runId, onEvent: options.onEvent }),
    stepInside: async ({ namespace, pod, container }) =>
      `kubectl exec -it ${pod} -n ${namespace} -c ${container} -- bash`,
    restartAgent: (flags) => agent.setFlags(flags),
    async killAgent() {
      const { target, node } = await agentNode();
      return node.ours(await node.call('kill', { target, signal: 'SIGKILL' }));
    },
    stopAgent: () => agent.stop(),
    rebootNode: () => Promise.reject(new Error('the nodes of a cluster are not switched off')),
    async restartKubelet(beside) {
      const node = nodeOf(beside);
      return node.ours(await node.call('restartKubelet', {}));
    },
    async openFaultyStore() {
      const way = ++lastId;
      const endpoint = await first.call('openFaultyStore', { id: way });
      const trouble = async (trouble: StoreTrouble) => {
        const id = ++lastId;
        await first.call('storeTrouble', { store: way, trouble, id });
        return ending(first, id);
      };
      return { endpoint, trouble, ...ending(first, way) };
    },
    agentMetrics: async () => agent.metrics((await agentNode()).node.facts.node),
    async agentUsage() {
      const { target, node } = await agentNode();
      return node.call('usage', { target });
    },
    release: (namespace) => releases.release(namespace),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

function capabilitiesOf(
  { environment, agentOptions, nodesAreOurs, fakeDaemon }: KubernetesClusterOptions,
  { nodes, agents }: { readonly nodes: readonly NodeLink[]; readonly agents: readonly string[] },
): readonly Capability[] {
  const can = (capability: Capability, isSo: boolean): readonly Capability[] => (isSo ? [capability] : []);
  const replacesBeneath = ({ facts }: NodeLink) =>
    mountsBeneath({ flag: agentOptions.kernelTier, kernel: facts.kernel });
  return [
    ...kubernetesCapabilities.always,
    ...can('mount-beneath', nodes.every(replacesBeneath)),
    ...can(
      'idmapped-fuse',
      nodes.every((node) => replacesBeneath(node) && isSince(node.facts.kernel, idmapsFuse)),
    ),
    ...can(
      'memory-cgroups',
      nodes.every(({ facts }) => facts.memoryCgroups),
    ),
    ...can('two-nodes', agents.length > 1),
    ...can('kubectl', hasKubectl(environment)),
    ...can('kubelet-restart', nodesAreOurs),
    ...can('told-daemon', fakeDaemon),
  ];
}

/** The first kernel with FUSE_ALLOW_IDMAP. */
const idmapsFuse = '6.12';

function now(): number {
  return Number(process.hrtime.bigint());
}

/** What there has to be before a Kubernetes cluster can run scenarios, whoever made it. */
export interface KubernetesClusterOptions {
  /** `kind`, `minikube`, `existing`. */
  readonly name: string;
  readonly runId: string;
  readonly kubeConfig: KubeConfig;
  /** What stands in for what; the offsets of the nodes' clocks are added here. */
  readonly fidelity: Fidelity;
  /** As pods of the cluster see it. */
  readonly store: RunningCluster['store'];
  /** The DaemonSet's pods of `nodeProgramDaemonSet`, all of them running. */
  readonly nodeProgram: PodSelector;
  /** Directory of the nodes: a FUSE daemon waits as long as its file `<namespace>.<pod>` is there. */
  readonly holds: string;
  readonly agent: AgentDaemonSet;
  /** They were made for runs: what serves others too, as their kubelets do, may be restarted. */
  readonly nodesAreOurs: boolean;
  /** Whether FUSE daemons are the fake one, which is told how to behave, and says when it is ready. */
  readonly fakeDaemon: boolean;
  /** The flags that the agent is to have when scenarios begin; the DaemonSet is changed where it has others. */
  readonly agentOptions: AgentOptions;
  /** Exists; logs of containers go to `logs/` below it. */
  readonly resultsDir: string;
  /** Of the commands that a scenario runs here, as documented. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  /** Disposed of last, when the running cluster is: what its maker has to take away. */
  readonly life?: AsyncDisposable;
}

import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { onLines } from '../../fakes/lines.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { isSince } from '../../recovery/linux/kernel-tier.ts';
import type { Fidelity } from '../../src/timeline/record.ts';
import { mountsBeneath } from '../agent-tier.ts';
import {
  type AgentSettings,
  CannotRun,
  type Capability,
  type ClusterEvent,
  type ContainerRef,
  deriveVerbs,
  type NodeVerbs,
  nodeVerbs,
  type RunningCluster,
} from '../cluster.ts';
import { ContainerLogs } from '../container-logs.ts';
import { watchKubernetesEvents } from '../kubernetes-events.ts';
import { findKubectl } from '../terminal.ts';
import { AgentControl, type DeployedAgent } from './agent-control.ts';
import { execToEnd, startExec } from './exec.ts';
import { withNodes } from './fidelity.ts';
import { type NodeLink, openNodeLink } from './node-link.ts';
import type { PodSelector } from './node-program/daemon-set.ts';
import { type PodWatch, watchPods } from './pod-watch.ts';
import { Releases } from './release.ts';

/** The names of all namespaces of scenarios begin with it. */
const namespacePrefix = 'rk-';

/**
 * Connects to a Kubernetes cluster in which the store, Fluid's controllers, the agent and the node program run. Disposing of the
 * result restores the agent's flags and ends the sessions with the node programs.
 */
export async function runKubernetesCluster(options: KubernetesClusterOptions): Promise<RunningCluster> {
  const { kubeConfig, onEvent, onProgress, signal } = options;
  await using stack = new AsyncDisposableStack();
  const logs = stack.use(new ContainerLogs(options.resultsDir));
  stack.use(await watchKubernetesEvents(kubeConfig, onEvent));
  const pods = stack.use(await watchPods({ kubeConfig, namespacePrefix, onEvent }));
  onProgress('connecting to each node');
  const nodes = await openNodeLinks(options, logs);
  for (const node of nodes) stack.use(node);
  onProgress('giving the node agent the flags of the run');
  const { agent: daemonSet, agentIsOurs } = options;
  const agent = stack.use(new AgentControl({ kubeConfig, daemonSet, agentIsOurs, signal }));
  await agent.setFlags(options.agentOptions);
  const releases = stack.use(new Releases({ kubeConfig, nodes }));
  const agentNodes = (await agent.pods()).flatMap(({ spec }) => spec?.nodeName ?? []).toSorted();
  return createCluster({ options, nodes, pods, agent, agentNodes, releases, life: stack.move() });
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
          sendsLogs: true,
          holds,
          fakeDaemon,
          confirmsMounts: options.environment.CI === 'true',
        },
        onEvent,
        onLog: (name, text) => logs.write(name, `${text}\n`),
      }),
    ),
  );
}

interface Parts {
  readonly options: KubernetesClusterOptions;
  readonly nodes: readonly NodeLink[];
  readonly pods: PodWatch;
  readonly agent: AgentControl;
  /** The nodes that have an agent. Virtual nodes have none. */
  readonly agentNodes: readonly string[];
  readonly releases: Releases;
  readonly life: AsyncDisposableStack;
}

function createCluster({ options, nodes, pods, agent, agentNodes, releases, life }: Parts): RunningCluster {
  const { name, kubeConfig, store, nodesAreOurs, onEvent } = options;
  const [firstNode] = nodes;
  if (!firstNode) throw new Error('no node is connected');
  const linkTo = (node: string | undefined): NodeLink | undefined => nodes.find(({ facts }) => facts.node === node);
  // The node of the scenario's application: verbs without a target act there.
  let home = linkTo(agentNodes[0]) ?? firstNode;
  /** Any node will report that a pod that is not known yet does not run. */
  const nodeOf = ({ namespace, pod }: ContainerRef): NodeLink => linkTo(pods.nodeOf(namespace, pod)) ?? firstNode;
  /** On the home node, if that has an agent. A virtual node has none. */
  const agentOnHome = async () => {
    const node = agentNodes.includes(home.facts.node) ? home : (linkTo(agentNodes[0]) ?? firstNode);
    return { target: await agent.containerOn(node.facts.node), node };
  };
  const callVerb = async (verb: keyof NodeVerbs, args: readonly unknown[]): Promise<unknown> => {
    const target = findTarget(args[0]);
    if (verb === 'mountTable' && !target)
      return (await Promise.all(nodes.map(({ remote }) => remote.mountTable()))).flat();
    const node = target ? nodeOf(target) : verb === 'runProgram' ? home : firstNode;
    if (verb === 'probe') home = node;
    const result = await (node.remote[verb] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
    return nodeVerbs[verb] === 'time' ? node.toOurClock(result as number) : result;
  };
  // An installed node plugin may run on few of the nodes.
  const severalNodes = agentNodes.length > 1 || (!options.agentIsOurs && nodes.length > 1);
  const kubectl = findKubectl({ ...options, kubeConfig: kubeConfig.exportConfig() });
  return {
    name,
    fidelity: withNodes(options.fidelity, nodes),
    capabilities: new Set([
      ...listCapabilities(options, { nodes, agentNodes }),
      ...(kubectl ? ['kubectl' as const] : []),
    ]),
    ...(severalNodes && agentNodes[0] !== undefined && { applicationNode: agentNodes[0] }),
    kernel: (linkTo(agentNodes[0]) ?? firstNode).facts.kernel,
    patienceMs: 180_000,
    kubeConfig,
    store,
    ...(kubectl && { kubectl }),
    ...deriveVerbs(callVerb),
    exec: (target, command, { timeoutMs = 60_000 } = {}) => execToEnd({ kubeConfig, target, command, timeoutMs }),
    async run(target, command, name) {
      const running = await startExec({ kubeConfig, target, command });
      for (const stream of ['stdout', 'stderr'] as const)
        onLines(running[stream], (text) =>
          onEvent({ kind: 'output', at: monotonicNow(), program: name, stream, text }),
        );
      return {
        name,
        exited: running.exited,
        async [Symbol.asyncDispose]() {
          running.close();
          // The program may have ended with its pod.
          await nodeOf(target)
            .remote.endExec(target, command)
            .catch(() => {});
        },
      };
    },
    stepInside: async ({ namespace, pod, container }) =>
      `kubectl exec -it ${pod} -n ${namespace} -c ${container} -- bash`,
    restartAgent: (flags) => agent.setFlags(flags),
    async killAgent() {
      const { target, node } = await agentOnHome();
      return node.toOurClock(await node.remote.kill(target, 'SIGKILL'));
    },
    stopAgent: () => agent.stop(),
    agentMetrics: async () => agent.metrics((await agentOnHome()).node.facts.node),
    async agentUsage() {
      const { target, node } = await agentOnHome();
      return node.remote.usage(target);
    },
    ...(nodesAreOurs && {
      async restartKubelet(target: ContainerRef) {
        const node = nodeOf(target);
        return node.toOurClock(await node.remote.restartKubelet());
      },
    }),
    release: (namespace) => releases.release(namespace),
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

/** The first argument of a verb is a container, or names one as its target, or concerns the node. */
function findTarget(argument: unknown): ContainerRef | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined;
  if ('target' in argument) return argument.target as ContainerRef | undefined;
  return 'pod' in argument ? (argument as ContainerRef) : undefined;
}

function listCapabilities(
  { agentIsOurs, agentOptions, nodesAreOurs, fakeDaemon }: KubernetesClusterOptions,
  { nodes, agentNodes }: Pick<Parts, 'nodes' | 'agentNodes'>,
): readonly Capability[] {
  const can = (capability: Capability, condition: boolean): readonly Capability[] => (condition ? [capability] : []);
  const replacesBeneath = ({ facts }: NodeLink) =>
    mountsBeneath({ flag: agentOptions.kernelTier, kernel: facts.kernel });
  return [
    'signal-daemon',
    'mount-tables',
    'abort-connection',
    'store-faults',
    'real-kubelet',
    ...can('mount-beneath', nodes.every(replacesBeneath)),
    ...can(
      'idmapped-fuse',
      nodes.every((node) => replacesBeneath(node) && isSince(node.facts.kernel, idmapsFuse)),
    ),
    ...can(
      'memory-cgroups',
      nodes.every(({ facts }) => facts.memoryCgroups),
    ),
    ...can('agent-flags', agentIsOurs),
    ...can('two-nodes', agentNodes.length > 1),
    ...can('kubelet-restart', nodesAreOurs),
    ...can('fake-daemon', fakeDaemon),
  ];
}

/** The first kernel with FUSE_ALLOW_IDMAP. */
const idmapsFuse = '6.12';

/** What must exist before a Kubernetes cluster can run scenarios. */
export interface KubernetesClusterOptions {
  /** `kind`, `minikube`, `existing`. */
  readonly name: string;
  readonly runId: string;
  readonly kubeConfig: KubeConfig;
  /** The offsets of the nodes' clocks are added to it. */
  readonly fidelity: Fidelity;
  /** As pods of the cluster see it. */
  readonly store: RunningCluster['store'];
  /** The running pods of `nodeProgramDaemonSet`. */
  readonly nodeProgram: PodSelector;
  /** A directory of the nodes. A FUSE daemon waits while its file `<namespace>.<pod>` is there. */
  readonly holds: string;
  readonly agent: DeployedAgent;
  /** Otherwise it was installed by others, and only its gate is changed. */
  readonly agentIsOurs: boolean;
  /** The nodes were created for runs, so that their kubelets may be restarted. */
  readonly nodesAreOurs: boolean;
  /** FUSE daemons are our fake, which accepts commands and reports when it is ready. */
  readonly fakeDaemon: boolean;
  /** The agent's flags when scenarios begin. The DaemonSet is changed if it has others. */
  readonly agentOptions: AgentSettings;
  /** Exists. Logs of containers go to `logs/` below it. */
  readonly resultsDir: string;
  /** For the documented commands that scenarios run on this machine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

import { isDeepStrictEqual } from 'node:util';
import { AppsV1Api, CoreV1Api, type KubeConfig, type V1Container, type V1Pod } from '@kubernetes/client-node';
import { monotonicClock } from '../../recovery/clock.ts';
import { createTransport } from '../../recovery/kubernetes/transport.ts';
import { type AgentSettings, CannotRun, type ContainerRef } from '../cluster.ts';
import { followFlags } from '../flag-access.ts';
import { poll } from '../poll.ts';

/** The agent's DaemonSet, which exists. Its container has the flags. */
export interface DeployedAgent {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
}

export interface AgentControlOptions {
  readonly kubeConfig: KubeConfig;
  readonly daemonSet: DeployedAgent;
  /** Of another agent only the gate is changed. */
  readonly agentIsOurs: boolean;
  readonly signal: AbortSignal;
}

const restoreMs = 60_000;
const rolloutPace = { everyMs: 200, timeoutMs: 120_000 };
/** A node selector that matches no node. */
const noNode = { 'rekindle.dev/nowhere': 'true' };
const anyNode = { 'rekindle.dev/nowhere': null };

/** Changes the agent's DaemonSet for a run, and restores it on disposal. */
export class AgentControl implements AsyncDisposable {
  readonly #options: AgentControlOptions;
  #signal: AbortSignal;
  #original: V1Container | undefined;

  constructor(options: AgentControlOptions) {
    this.#options = options;
    this.#signal = options.signal;
  }

  /** Changes the agent's flags if they differ. Resolves when it runs with them on every node. */
  async setFlags(options: AgentSettings): Promise<void> {
    const { kernelTier, readWriteScope, abortHungAfter, fallback, subPath } = options;
    const needsOurs = (kernelTier ?? readWriteScope ?? abortHungAfter ?? fallback ?? subPath) !== undefined;
    if (
      options.command ||
      options.diesBefore ||
      options.cpuMillis !== undefined ||
      (needsOurs && !this.#options.agentIsOurs)
    )
      throw new CannotRun([
        {
          what: 'an agent that differs from its deployment',
          remedy: 'run it in the sandbox, where the agent is a separate process',
        },
      ]);
    // A killed run may have left the selector behind.
    const { nodeSelector = {} } = (await this.#read()).spec?.template.spec ?? {};
    if (Object.keys(noNode).some((key) => key in nodeSelector)) await this.#merge({ nodeSelector: anyNode });
    if (this.#options.agentIsOurs) await this.#followFlags(options);
    const container = await this.#container();
    this.#original ??= container;
    const { args = [] } = container;
    await this.#patch(
      container,
      this.#options.agentIsOurs ? withFlags(args, options) : withGate(args, options.fuseRecovery),
    );
  }

  /** Stops the agent on every node. Disposing of the result starts it again. */
  async stop(): Promise<AsyncDisposable> {
    await this.#merge({ nodeSelector: noNode });
    await poll({
      ...rolloutPace,
      condition: 'the node agent has stopped on all nodes',
      read: () => this.pods(),
      until: ({ length }) => length === 0,
      format: (pods) => `${pods.map(({ metadata }) => metadata?.name).join(', ')} still running`,
      signal: this.#signal,
    });
    return {
      [Symbol.asyncDispose]: async () => {
        await this.#merge({ nodeSelector: anyNode });
        await this.#rolledOut();
      },
    };
  }

  /** The DaemonSet's pods, one on each node. */
  async pods(): Promise<readonly V1Pod[]> {
    const { kubeConfig, daemonSet } = this.#options;
    const { spec } = await this.#read();
    const labels = Object.entries(spec?.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
    const api = kubeConfig.makeApiClient(CoreV1Api);
    const { namespace } = daemonSet;
    return (await api.listNamespacedPod({ namespace, labelSelector: labels.join(',') })).items;
  }

  /** Its container on a node, or on any node. */
  async containerOn(node?: string): Promise<ContainerRef> {
    const { namespace, name, container } = this.#options.daemonSet;
    const pods = (await this.pods()).filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    const pod = pods.find(({ spec }) => node === undefined || spec?.nodeName === node)?.metadata?.name;
    if (pod === undefined) throw new Error(`no pod of ${namespace}/${name} is on ${node ?? 'any node'}`);
    return { namespace, pod, container };
  }

  /** What it serves at /metrics on a node, through the API server's proxy. */
  async metrics(node?: string): Promise<string> {
    const { namespace, pod } = await this.containerOn(node);
    const port = (await this.#container()).ports?.find(({ name }) => name === 'metrics')?.containerPort ?? 8080;
    const api = this.#options.kubeConfig.makeApiClient(CoreV1Api);
    return api.connectGetNamespacedPodProxyWithPath({ namespace, name: `${pod}:${port}`, path: 'metrics' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const original = this.#original;
    // The run itself may have been aborted.
    this.#signal = AbortSignal.timeout(restoreMs);
    if (!original) return;
    await this.#patch(await this.#container(), original.args ?? []);
    if (this.#options.agentIsOurs) await this.#followFlags({});
  }

  #followFlags(settings: Pick<AgentSettings, 'readWriteScope' | 'fallback'>): Promise<void> {
    const { kubeConfig, daemonSet } = this.#options;
    return followFlags(kubeConfig, { namespace: daemonSet.namespace, name: daemonSet.name }, settings);
  }

  async #patch({ name, args: present = [] }: V1Container, args: readonly string[]): Promise<void> {
    if (!isDeepStrictEqual(present, args)) await this.#merge({ containers: [{ name, args }] });
    await this.#rolledOut();
  }

  /** A strategic merge patch of the pod template, which identifies containers by name. */
  async #merge(spec: object): Promise<void> {
    const { kubeConfig, daemonSet } = this.#options;
    const { namespace, name } = daemonSet;
    await createTransport(kubeConfig, monotonicClock).json({
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}?fieldManager=rekindle-conform`,
      body: { contentType: 'application/strategic-merge-patch+json', value: { spec: { template: { spec } } } },
      signal: this.#signal,
    });
  }

  /** Waits until every node has the new agent, ready, and no node has the old one. */
  async #rolledOut(): Promise<void> {
    await poll({
      ...rolloutPace,
      condition: 'the new node agent runs on all nodes',
      read: async () => ({ daemonSet: await this.#read(), pods: await this.pods() }),
      until: ({ daemonSet: { metadata, status }, pods }) =>
        status?.observedGeneration === metadata?.generation &&
        status?.updatedNumberScheduled === status?.desiredNumberScheduled &&
        (status?.numberAvailable ?? 0) === status?.desiredNumberScheduled &&
        pods.length === status?.desiredNumberScheduled,
      format: ({ daemonSet, pods }) => `${JSON.stringify(daemonSet.status ?? {})}, ${pods.length} pods`,
      signal: this.#signal,
    });
  }

  #read() {
    const { kubeConfig, daemonSet } = this.#options;
    const { namespace, name } = daemonSet;
    return kubeConfig.makeApiClient(AppsV1Api).readNamespacedDaemonSet({ namespace, name });
  }

  async #container(): Promise<V1Container> {
    const { container } = this.#options.daemonSet;
    const found = (await this.#read()).spec?.template.spec?.containers.find(({ name }) => name === container);
    if (!found) throw new Error(`the node agent's DaemonSet has no container ${container}`);
    return found;
  }
}

/** The agent's arguments with the requested flags. All other arguments are unchanged. */
export function withFlags(args: readonly string[], options: AgentSettings): readonly string[] {
  const { fuseRecovery, standby, kernelTier, readWriteScope, abortHungAfter, fallback, subPath } = options;
  const wanted: Readonly<Record<string, string | undefined>> = {
    '--kernel-tier': kernelTier,
    '--read-write-scope': readWriteScope,
    '--abort-hung-after': abortHungAfter,
    '--fallback': fallback ? 'annotated' : undefined,
    '--sub-path': subPath,
  };
  const flagName = (arg: string) => arg.split('=', 1)[0] ?? '';
  // Flags keep their positions, so that requesting the current ones changes nothing.
  const gates = withGate(withGate(args, fuseRecovery), standby ? true : 'default', 'FuseStandby');
  const replaced = gates.flatMap((arg) => {
    const name = flagName(arg);
    if (!(name in wanted)) return [arg];
    return wanted[name] === undefined ? [] : [`${name}=${wanted[name]}`];
  });
  const present = new Set(replaced.map(flagName));
  const added = Object.entries(wanted).flatMap(([name, value]) =>
    value === undefined || present.has(name) ? [] : [`${name}=${value}`],
  );
  return [...replaced, ...added];
}

const gateFlag = '--feature-gates';

/**
 * An agent's arguments with the gate on or off, as the document sets it, or by default, without it. Other arguments and other
 * gates are unchanged, and a gate that is not mentioned stays so if it must be off.
 */
export function withGate(
  args: readonly string[],
  state: AgentSettings['fuseRecovery'],
  gate = 'FuseRecovery',
): readonly string[] {
  const separate = args.indexOf(gateFlag);
  const index = separate < 0 ? args.findIndex((arg) => arg.startsWith(`${gateFlag}=`)) : separate + 1;
  const given = (args[index] ?? '').replace(`${gateFlag}=`, '').split(',');
  const gates = given.filter((each) => each !== '');
  const position = gates.findIndex((each) => each.startsWith(`${gate}=`));
  if (position < 0 && state !== true) return args;
  const wanted = state === 'default' ? [] : [`${gate}=${state}`];
  const changed = position < 0 ? [...gates, ...wanted] : gates.toSpliced(position, 1, ...wanted);
  const value = separate < 0 ? `${gateFlag}=${changed}` : `${changed}`;
  if (index < 0) return [...args, value];
  if (changed.length > 0) return args.with(index, value);
  return separate < 0 ? args.toSpliced(index, 1) : args.toSpliced(separate, 2);
}

import { AppsV1Api, type KubeConfig, makeInformer, type V1DaemonSet, type V1PodSpec } from '@kubernetes/client-node';
import { agentDaemonSet, liveGate } from '../../recovery/deploy/agent-daemonset.ts';
import { defaultOptions, names } from '../../recovery/deploy/options.ts';

export interface AgentDaemonSetOptions {
  readonly kubeConfig: KubeConfig;
  /** The agent's current gate. */
  readonly gate: boolean;
  /** Restarts the agent with another gate: what a rollout amounts to on one node. */
  readonly rollOut: (gate: boolean) => Promise<void>;
}

export interface AgentDaemonSet extends AsyncDisposable {
  /** Updates the arguments after the agent was restarted in another way. */
  follow(gate: boolean): Promise<void>;
}

/**
 * Creates the DaemonSet of the sandbox's agent in its existing namespace, as `rekindle deploy` does, and acts as its controller: if a user changes the gate
 * among its arguments, the agent is restarted with it. Other arguments are ignored.
 */
export async function keepAgentDaemonSet({
  kubeConfig,
  gate,
  rollOut,
}: AgentDaemonSetOptions): Promise<AgentDaemonSet> {
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const { agent: name, namespace } = names;
  await apps.createNamespacedDaemonSet({ namespace, body: agentDaemonSet({ ...defaultOptions, gate }) });

  let currentGate = gate;
  let disposed = false;
  let last: Promise<void> = Promise.resolve();
  const reconcile = async (set: V1DaemonSet): Promise<void> => {
    const wanted = liveGate(set) ?? false;
    const observedGeneration = set.metadata?.generation ?? 0;
    if (disposed || set.status?.observedGeneration === observedGeneration) return;
    if (wanted !== currentGate) await rollOut(wanted);
    currentGate = wanted;
    const body = [{ op: 'add', path: '/status', value: { ...onOneNode, observedGeneration } }];
    await apps.patchNamespacedDaemonSetStatus({ name, namespace, body });
  };
  const informer = makeInformer(kubeConfig, `/apis/apps/v1/namespaces/${namespace}/daemonsets`, () =>
    apps.listNamespacedDaemonSet({ namespace }),
  );
  const changed = (set: V1DaemonSet): void => {
    if (set.metadata?.name !== name) return;
    last = last.then(() => reconcile(set)).catch(() => {});
  };
  informer.on('add', changed);
  informer.on('update', changed);
  informer.on('error', () => {
    if (!disposed) setTimeout(() => void informer.start(), 200).unref();
  });
  await informer.start();
  return {
    async follow(gate) {
      if (gate === currentGate) return;
      currentGate = gate;
      const { spec } = await apps.readNamespacedDaemonSet({ name, namespace });
      const body = [{ op: 'replace', path: '/spec/template/spec', value: withGate(spec?.template.spec, gate) }];
      await apps.patchNamespacedDaemonSet({ name, namespace, body });
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      await informer.stop();
      await last;
    },
  };
}

const onOneNode = {
  currentNumberScheduled: 1,
  desiredNumberScheduled: 1,
  numberMisscheduled: 0,
  numberReady: 1,
  numberAvailable: 1,
  updatedNumberScheduled: 1,
};

function withGate(spec: V1PodSpec | undefined, gate: boolean): V1PodSpec {
  return JSON.parse(JSON.stringify(spec).replace(/FuseRecovery=\w+/g, `FuseRecovery=${gate}`));
}

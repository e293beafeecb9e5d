import { request } from 'node:http';
import { Duplex, PassThrough } from 'node:stream';
import { json } from 'node:stream/consumers';
import { CoreV1Api, type KubeConfig, PortForward, type V1Pod } from '@kubernetes/client-node';
import { statusPort } from '../../recovery/deploy/agent-daemonset.ts';
import { CannotDeploy } from '../../recovery/deploy/errors.ts';
import { names } from '../../recovery/deploy/options.ts';
import { formatError } from '../../recovery/log.ts';
import { type ClusterStatus, parseNodeStatus } from './cluster-status.ts';

/** Where agents are asked. */
export type StatusSource =
  /** `HOST:PORT` of one agent, such as that of a sandbox. */
  | { readonly kind: 'address'; readonly address: string }
  /** All agents of a cluster, each through a forwarded port of its pod. */
  | { readonly kind: 'cluster'; readonly kubeConfig: KubeConfig; readonly namespace?: string };

/** Longest time for one agent's answer. */
const answerMs = 10_000;
/** Agents that are asked at the same time. */
const concurrency = 16;

/** Asks every agent; those that do not answer are named. Rejects if the API server cannot be asked for the agents' pods, or if there are none. */
export async function readStatus(source: StatusSource, signal: AbortSignal): Promise<ClusterStatus> {
  const agents = source.kind === 'address' ? [askAddress(source.address)] : await agentPods(source);
  if (agents.length === 0)
    throw new CannotDeploy(
      'no node agent runs in this cluster',
      'install it with rekindle deploy, or name its namespace with --agent-namespace',
    );
  const answers: ({ readonly node: string } & ({ readonly value: unknown } | { readonly error: string }))[] = [];
  const waiting = [...agents];
  const work = async () => {
    for (let agent = waiting.shift(); agent !== undefined; agent = waiting.shift()) {
      signal.throwIfAborted();
      const { node, ask } = agent;
      const until = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
      answers.push(
        await ask(until).then(
          (value) => ({ node, value }),
          (error: unknown) => ({
            node,
            error: until.aborted ? `no answer within ${answerMs / 1000} s` : formatError(error),
          }),
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  signal.throwIfAborted();
  const byNode = (a: { readonly node: string }, b: { readonly node: string }) => (a.node < b.node ? -1 : 1);
  return {
    schemaVersion: 1,
    takenAt: new Date().toISOString(),
    nodes: answers.flatMap((answer) => ('value' in answer ? parseNodeStatus(answer.value) : [])).sort(byNode),
    unreachable: answers.flatMap((answer) => ('error' in answer ? answer : [])).sort(byNode),
  };
}

interface AskedAgent {
  readonly node: string;
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
}

const askAddress = (address: string): AskedAgent => ({
  node: address,
  ask: async (signal) => {
    const response = await fetch(`http://${address}/status`, { signal });
    if (!response.ok) throw new Error(`it answered ${response.status}: is it the address of /status?`);
    return response.json();
  },
});

async function agentPods({
  kubeConfig,
  namespace,
}: Extract<StatusSource, { kind: 'cluster' }>): Promise<readonly AskedAgent[]> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const labelSelector = `app in (${names.agent},${names.beside})`;
  const namespaces = namespace === undefined ? [names.namespace, names.besideNamespace] : [namespace];
  const pods = await Promise.all(namespaces.map((each) => api.listNamespacedPod({ namespace: each, labelSelector })));
  const forward = new PortForward(kubeConfig);
  return pods.flatMap(({ items }) => items.flatMap((pod) => askPod(forward, pod)));
}

function askPod(forward: PortForward, { metadata, spec, status }: V1Pod): AskedAgent {
  const { name = '', namespace = '' } = metadata ?? {};
  return {
    node: spec?.nodeName ?? name,
    async ask(signal) {
      if (status?.phase !== 'Running') throw new Error(`its pod ${namespace}/${name} is ${status?.phase ?? 'unknown'}`);
      const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const failed = new Promise<never>((_, reject) => {
        errors.once('data', (text) => reject(new Error(String(text).trim())));
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      failed.catch(() => {});
      const connecting = forward.portForward(namespace, name, [statusPort], output, errors, input);
      const socket = await Promise.race([connecting, failed]);
      try {
        return await Promise.race([get(Duplex.from({ readable: output, writable: input })), failed]);
      } finally {
        if ('close' in socket) socket.close();
      }
    },
  };
}

/** Sends one request through a connection. */
function get(connection: Duplex): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const headers = { host: 'agent', connection: 'close' };
  const sent = request({ path: '/status', headers, createConnection: () => connection }, (response) => {
    if (response.statusCode === 200) json(response).then(resolve, reject);
    else reject(new Error(`its agent answered ${response.statusCode}: it is of an older version`));
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

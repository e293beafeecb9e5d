import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { execToEnd } from './exec.ts';
import type { PodSelector } from './node-program/daemon-set.ts';

export interface DiagnosticsOptions {
  readonly kubeConfig: KubeConfig;
  /** Created on demand. */
  readonly folder: string;
  /** Selects the namespaces whose containers' logs are collected: `rekindle-<run>`, `fluid-system`, those of scenarios. */
  readonly isOurs: (namespace: string) => boolean;
  /** Provides the mount tables. Nodes that do not run it are skipped. */
  readonly nodeProgram: PodSelector;
}

const requestMs = 15_000;
const lastLines = 2_000;

/**
 * Writes the current state of a cluster: `pods.txt` and `pods.json`, `events.txt`, `nodes.json`, `logs/`, and the mount table of each
 * node. `missing.txt` lists what could not be collected, with reasons. Never rejects.
 */
export async function collectDiagnostics({
  kubeConfig,
  folder,
  isOurs,
  nodeProgram,
}: DiagnosticsOptions): Promise<void> {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const missing: string[] = [];
  const write = async (name: string, text: () => Promise<string>): Promise<void> => {
    try {
      writeFileSync(join(folder, name), await withTimeout(text()));
    } catch (error) {
      missing.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    }
  };
  const pods: V1Pod[] = [];
  await Promise.all([
    write('pods.json', async () => {
      const { items } = await core.listPodForAllNamespaces();
      pods.push(...items);
      return `${JSON.stringify(items, null, 1)}\n`;
    }),
    write('events.txt', async () => {
      const { items } = await core.listEventForAllNamespaces();
      return items
        .toSorted((a, b) => timestamp(a) - timestamp(b))
        .map((event) => {
          const { namespace, kind, name } = event.involvedObject;
          return `${new Date(timestamp(event)).toISOString()} ${event.type} ${namespace}/${kind}/${name} ${event.reason}: ${event.message}\n`;
        })
        .join('');
    }),
    write('nodes.json', async () => `${JSON.stringify((await core.listNode()).items, null, 1)}\n`),
  ]);
  const ours = pods.filter(({ metadata }) => isOurs(metadata?.namespace ?? ''));
  await write('pods.txt', async () => pods.map(formatPod).join(''));
  await Promise.all([
    ...ours.flatMap((pod) =>
      listLogs(pod).map(({ file, ...request }) => write(`logs/${file}`, () => core.readNamespacedPodLog(request))),
    ),
    ...pods
      .filter(({ metadata }) => metadata?.namespace === nodeProgram.namespace && matches(metadata.labels, nodeProgram))
      .map(({ metadata, spec }) =>
        write(`mounts-${spec?.nodeName}.txt`, async () => {
          const target = {
            namespace: nodeProgram.namespace,
            pod: metadata?.name ?? '',
            container: nodeProgram.container,
          };
          const command = ['cat', '/proc/1/mountinfo'];
          return (await execToEnd({ kubeConfig, target, command, timeoutMs: requestMs })).stdout;
        }),
      ),
  ]);
  if (missing.length > 0) writeFileSync(join(folder, 'missing.txt'), missing.map((line) => `${line}\n`).join(''));
}

interface EventTimes {
  readonly lastTimestamp?: Date;
  readonly eventTime?: Date;
  readonly metadata: { readonly creationTimestamp?: Date };
}

const timestamp = ({ lastTimestamp, eventTime, metadata }: EventTimes): number =>
  new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();

/** The logs of a pod's containers, current and previous. */
function listLogs({ metadata, status }: V1Pod) {
  const { name = '', namespace = '' } = metadata ?? {};
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.flatMap(({ name: container, restartCount }) =>
    [false, ...(restartCount > 0 ? [true] : [])].map((previous) => ({
      file: `${namespace}_${name}_${container}${previous ? '_previous' : ''}.log`,
      ...{ name, namespace, container, previous, timestamps: true, tailLines: lastLines },
    })),
  );
}

function formatPod({ metadata, spec, status }: V1Pod): string {
  const containers = (status?.containerStatuses ?? []).map(({ name, ready, restartCount, state }) => {
    const { waiting, terminated } = state ?? {};
    return `${name}=${waiting?.reason ?? terminated?.reason ?? (ready ? 'ready' : 'running')}(${restartCount})`;
  });
  const deleting = metadata?.deletionTimestamp ? ' terminating' : '';
  return `${metadata?.namespace}/${metadata?.name} ${status?.phase}${deleting} on ${spec?.nodeName ?? 'no node'} ${containers.join(' ')}\n`;
}

function matches(labels: Readonly<Record<string, string>> = {}, { labelSelector }: PodSelector): boolean {
  return labelSelector.split(',').every((term) => labels[term.split('=')[0] ?? ''] === term.split('=')[1]);
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error(`no answer in ${requestMs / 1000} s`)), requestMs);
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

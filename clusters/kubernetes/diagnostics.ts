import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { execToEnd } from './exec.ts';
import type { PodSelector } from './node-program/daemon-set.ts';

export interface DiagnosticsOptions {
  readonly kubeConfig: KubeConfig;
  /** Made where it is not there. */
  readonly folder: string;
  /** Whose containers' logs are taken: `rekindle-<run>`, `fluid-system`, those of scenarios. */
  readonly isOurs: (namespace: string) => boolean;
  /** Where mount tables are asked for; not where it does not run. */
  readonly nodeProgram: PodSelector;
}

const requestMs = 15_000;
const lastLines = 2_000;

/**
 * Writes what a cluster shows at this moment: `pods.txt` and `pods.json`, `events.txt`, `nodes.json`, `logs/`, and the mount table of
 * each node. What cannot be had is said in `missing.txt` instead. Never rejects.
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
      writeFileSync(join(folder, name), await inTime(text()));
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
        .toSorted((a, b) => timeOf(a) - timeOf(b))
        .map((event) => {
          const { namespace, kind, name } = event.involvedObject;
          return `${new Date(timeOf(event)).toISOString()} ${event.type} ${namespace}/${kind}/${name} ${event.reason}: ${event.message}\n`;
        })
        .join('');
    }),
    write('nodes.json', async () => `${JSON.stringify((await core.listNode()).items, null, 1)}\n`),
  ]);
  const ours = pods.filter(({ metadata }) => isOurs(metadata?.namespace ?? ''));
  await write('pods.txt', async () => pods.map(lineOf).join(''));
  await Promise.all([
    ...ours.flatMap((pod) =>
      logsOf(pod).map(({ file, ...of }) => write(`logs/${file}`, () => core.readNamespacedPodLog(of))),
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

interface Happened {
  readonly lastTimestamp?: Date;
  readonly eventTime?: Date;
  readonly metadata: { readonly creationTimestamp?: Date };
}

const timeOf = ({ lastTimestamp, eventTime, metadata }: Happened): number =>
  new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();

/** Its containers' logs, and those of the instances before. */
function logsOf({ metadata, status }: V1Pod) {
  const { name = '', namespace = '' } = metadata ?? {};
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.flatMap(({ name: container, restartCount }) =>
    [false, ...(restartCount > 0 ? [true] : [])].map((previous) => ({
      file: `${namespace}_${name}_${container}${previous ? '_previous' : ''}.log`,
      ...{ name, namespace, container, previous, timestamps: true, tailLines: lastLines },
    })),
  );
}

function lineOf({ metadata, spec, status }: V1Pod): string {
  const containers = (status?.containerStatuses ?? []).map(({ name, ready, restartCount, state }) => {
    const { waiting, terminated } = state ?? {};
    return `${name}=${waiting?.reason ?? terminated?.reason ?? (ready ? 'ready' : 'running')}(${restartCount})`;
  });
  const going = metadata?.deletionTimestamp ? ' terminating' : '';
  return `${metadata?.namespace}/${metadata?.name} ${status?.phase}${going} on ${spec?.nodeName ?? 'no node'} ${containers.join(' ')}\n`;
}

function matches(labels: Readonly<Record<string, string>> = {}, { labelSelector }: PodSelector): boolean {
  return labelSelector.split(',').every((term) => labels[term.split('=')[0] ?? ''] === term.split('=')[1]);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${requestMs / 1000} s`)), requestMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { isAgentDeployed } from '../../../clusters/kubernetes/deploy-agent.ts';
import { explain } from '../../../clusters/kubernetes/explain.ts';
import {
  listRunObjects,
  removeNodeDirectories,
  removeObject,
  removeRuns,
} from '../../../clusters/kubernetes/remove-run.ts';
import { runLabel } from '../../../clusters/kubernetes/run-objects.ts';
import { PollTimeout } from '../../../clusters/poll.ts';
import { openApi } from '../../../recovery/deploy/api.ts';
import type { RunId } from '../../run-id.ts';
import { doctorLabel } from '../cluster/inspect-nodes.ts';
import type { CleanReport } from './clean.ts';

export interface CleanClusterOptions {
  readonly kubeConfig: KubeConfig;
  /** Remove what this run left, even if it is going on. */
  readonly run?: RunId;
  readonly dryRun: boolean;
  /** Now, in milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** The age at which the namespace of a doctor is a leftover: an inspection takes less time. */
const doctorMs = 5 * 60_000;
const goneMs = 60_000;

/**
 * Removes from a cluster what killed doctors and the named run left. Runs that are not named are only listed, because they may be in
 * progress on another machine. @throws CannotRun
 */
export async function cleanCluster(options: CleanClusterOptions): Promise<CleanReport> {
  const { kubeConfig, run, dryRun } = options;
  const context = kubeConfig.getCurrentContext();
  try {
    const reports = [await cleanDoctors(options), ...(run === undefined ? [] : [await cleanRun(options, run)])];
    const lines = reports.flatMap((report) => report.lines.map((line) => `${context}: ${line}`));
    const others = run === undefined ? await otherRuns(kubeConfig) : [];
    const otherLines = others.map(
      (id) =>
        `${context}: run ${id} is going on there, or was killed: left alone; rekindle clean --context ${context} --run ${id} removes it`,
    );
    if (lines.length === 0 && (otherLines.length === 0 || dryRun)) lines.push(`${context}: nothing to clean`);
    return { lines: [...lines, ...otherLines], leftovers: reports.flatMap(({ leftovers }) => leftovers) };
  } catch (error) {
    throw explain(error, kubeConfig.getCurrentCluster()?.server ?? context);
  }
}

async function cleanDoctors({ kubeConfig, dryRun, now, signal }: CleanClusterOptions): Promise<CleanReport> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { items } = await core.listNamespace({ labelSelector: doctorLabel });
  const lines: string[] = [];
  const leftovers: string[] = [];
  for (const { metadata } of items) {
    const name = metadata?.name ?? '';
    const age = now - (metadata?.creationTimestamp?.getTime() ?? now);
    if (age < doctorMs)
      lines.push(`namespace/${name} is of a doctor that may be looking: left alone for ${minutes(age)}`);
    else if (dryRun) lines.push(`would remove namespace/${name}`);
    else {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      try {
        await removeObject(openApi(kubeConfig), namespace, { timeoutMs: goneMs, signal });
        lines.push(`removed namespace/${name}`);
      } catch (error) {
        if (!(error instanceof PollTimeout)) throw error;
        lines.push(`could not remove namespace/${name}: ${error.message}`);
        leftovers.push(`namespace/${name}`);
      }
    }
  }
  return { lines, leftovers };
}

const minutes = (age: number) => `${Math.ceil((doctorMs - age) / 60_000)} min`;

async function cleanRun({ kubeConfig, dryRun, signal }: CleanClusterOptions, run: RunId): Promise<CleanReport> {
  const isSelected = (id: string) => id === run;
  if (dryRun) {
    const objects = (await listRunObjects(kubeConfig)).filter(({ metadata }) =>
      isSelected(metadata?.labels?.[runLabel] ?? ''),
    );
    const lines = objects.map(({ kind = '', metadata }) => `would remove ${kind.toLowerCase()}/${metadata?.name}`);
    return { lines, leftovers: [] };
  }
  // Fails if a node no longer exists, which leaves no directories on it.
  await removeNodeDirectories(kubeConfig, run).catch(() => {});
  const removed = await removeRuns({ kubeConfig, which: isSelected, signal, onProgress: () => {} });
  const lines = removed.map((title) => `removed ${title}`);
  // The agent may have been installed before the run.
  if (await isAgentDeployed(kubeConfig))
    lines.push(`the node agent stays: rekindle deploy --context ${kubeConfig.getCurrentContext()} --remove removes it`);
  return { lines, leftovers: [] };
}

async function otherRuns(kubeConfig: KubeConfig): Promise<readonly string[]> {
  const runs = (await listRunObjects(kubeConfig)).map(({ metadata }) => metadata?.labels?.[runLabel] ?? '');
  return [...new Set(runs)].toSorted();
}
